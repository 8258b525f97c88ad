//! A failed attempt: its class, and what a human reads about it.

use std::time::Duration;

use super::text::{cut, visible};
use super::{ErrorClass, Outcome};

/// The most bytes of a message that are kept.
pub const MAX_MESSAGE_BYTES: usize = 4 << 10;
/// The most bytes of a detail that are kept.
pub const MAX_DETAIL_BYTES: usize = 16 << 10;

/// Why an attempt failed. Message and detail are bounded and harmless to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    outcome: Outcome,
    class: ErrorClass,
    message: String,
    detail: Option<String>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of the class; one of class `timeout` has the outcome `timeout`, all others `error`.
    pub fn new(class: ErrorClass, message: &str) -> Self {
        let outcome = match class {
            ErrorClass::Timeout => Outcome::Timeout,
            ErrorClass::Transient | ErrorClass::Permanent | ErrorClass::Validation | ErrorClass::Resource => {
                Outcome::Error
            }
        };
        Self { outcome, class, message: bounded(message, MAX_MESSAGE_BYTES), detail: None, retry_after: None }
    }

    /// The fuel was spent: the outcome is `timeout`, the class `resource`, so it is not tried again.
    pub fn fuel_spent(message: &str) -> Self {
        Self { outcome: Outcome::Timeout, ..Self::new(ErrorClass::Resource, message) }
    }

    /// With more to read.
    #[must_use]
    pub fn with_detail(self, detail: &str) -> Self {
        Self { detail: Some(bounded(detail, MAX_DETAIL_BYTES)), ..self }
    }

    /// With the delay that the worker asked for before the next attempt.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// `error` or `timeout`.
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What sort of failure.
    pub const fn class(&self) -> ErrorClass {
        self.class
    }

    /// One line or a few for a human.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// More to read, if there is.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// The delay that the worker asked for.
    pub const fn asked_delay(&self) -> Option<Duration> {
        self.retry_after
    }
}

fn bounded(text: &str, most: usize) -> String {
    // What is shown is longer than what was given: cut before, to bound the work, and after, to bound the result.
    cut(&visible(cut(text, most)), most).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_megabytes_of_escapes_become_four_kilobytes_of_plain_text() {
        let failure = Failure::new(ErrorClass::Transient, &"\u{1b}[31mü".repeat(2_000_000));
        assert!(failure.message().len() <= MAX_MESSAGE_BYTES);
        assert!(!failure.message().contains('\u{1b}'));
    }

    #[test]
    fn a_timeout_and_spent_fuel_have_the_outcome_timeout_and_only_one_is_tried_again() {
        let timeout = Failure::new(ErrorClass::Timeout, "late");
        assert_eq!((timeout.outcome(), timeout.class()), (Outcome::Timeout, ErrorClass::Timeout));
        let fuel = Failure::fuel_spent("spent");
        assert_eq!((fuel.outcome(), fuel.class()), (Outcome::Timeout, ErrorClass::Resource));
    }
}

//! Why an attempt failed, and what that means for the job.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::ErrorClass;
use crate::bindings::flyball::worker::types as wire;

/// What a worker's function returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A failed attempt.
///
/// `?` makes one of any error, of class transient: tried again after a delay. [`Classify`] says
/// otherwise. (So that `?` can do this, a `Failure` is not itself an [`Error`].)
///
/// ```
/// use flyball_worker::{Classify, Failure, Result};
///
/// fn port(text: &str) -> Result<u16> {
///     if text.is_empty() {
///         return Err(Failure::permanent("there is no port"));
///     }
///     text.parse().invalid()
/// }
/// # assert!(port("x").is_err());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a failure does nothing until it is returned"]
pub struct Failure {
    class: ErrorClass,
    message: String,
    detail: Option<String>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of the given class. The message is one line for people.
    pub fn new(class: ErrorClass, message: impl fmt::Display) -> Self {
        Self { class, message: message.to_string(), detail: None, retry_after: None }
    }

    /// It may work next time.
    pub fn transient(message: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Transient, message)
    }

    /// It will never work.
    pub fn permanent(message: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Permanent, message)
    }

    /// The args are wrong.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Validation, message)
    }

    /// Something took too long.
    pub fn timeout(message: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Timeout, message)
    }

    /// It takes more than the job may use.
    pub fn resource(message: impl fmt::Display) -> Self {
        Self::new(ErrorClass::Resource, message)
    }

    /// The same failure, of another class.
    pub fn class(self, class: ErrorClass) -> Self {
        Self { class, ..self }
    }

    /// Adds what is too long for the message.
    pub fn detail(self, detail: impl fmt::Display) -> Self {
        Self { detail: Some(detail.to_string()), ..self }
    }

    /// Says when to try again, instead of the kind's backoff.
    pub fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::transient(with_causes(&*error.into()))
    }
}

impl From<Failure> for wire::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            class: failure.class,
            message: failure.message,
            detail: failure.detail,
            retry_after_ms: failure.retry_after.map(crate::quantity::whole_millis),
        }
    }
}

/// `reading the page: connection reset`. Many errors say their cause themselves: once is enough.
fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

/// Says what an error means for the job. Without it `?` means transient.
pub trait Classify<T>: Sized {
    /// Gives the error, if there is one, this class.
    ///
    /// # Errors
    /// The error that there was.
    fn class(self, class: ErrorClass) -> Result<T>;

    /// Says when to try again, instead of the kind's backoff.
    ///
    /// # Errors
    /// The error that there was.
    fn retry_after(self, delay: Duration) -> Result<T>;

    /// It may work next time: tried again, until the attempts are spent.
    ///
    /// # Errors
    /// The error that there was.
    fn transient(self) -> Result<T> {
        self.class(ErrorClass::Transient)
    }

    /// It will never work: the job is discarded.
    ///
    /// # Errors
    /// The error that there was.
    fn permanent(self) -> Result<T> {
        self.class(ErrorClass::Permanent)
    }

    /// The args are wrong: the job is discarded.
    ///
    /// # Errors
    /// The error that there was.
    fn invalid(self) -> Result<T> {
        self.class(ErrorClass::Validation)
    }

    /// Something took too long: tried again.
    ///
    /// # Errors
    /// The error that there was.
    fn timeout(self) -> Result<T> {
        self.class(ErrorClass::Timeout)
    }

    /// It takes more than the job may use: the job is discarded.
    ///
    /// # Errors
    /// The error that there was.
    fn resource(self) -> Result<T> {
        self.class(ErrorClass::Resource)
    }
}

impl<T, E: Into<Failure>> Classify<T> for std::result::Result<T, E> {
    fn class(self, class: ErrorClass) -> Result<T> {
        self.map_err(|error| error.into().class(class))
    }

    fn retry_after(self, delay: Duration) -> Result<T> {
        self.map_err(|error| error.into().retry_after(delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u8> {
        Ok(text.parse::<u8>()?)
    }

    #[test]
    fn a_question_mark_means_transient() {
        let failure = number("x").expect_err("x is no number");
        assert_eq!(failure.class, ErrorClass::Transient);
        assert_eq!(failure.message, "invalid digit found in string");
    }

    #[test]
    fn a_class_can_be_given_to_an_error_and_to_a_failure() {
        let error = "x".parse::<u8>().permanent().expect_err("x is no number");
        assert_eq!(error.class, ErrorClass::Permanent);

        let delay = Duration::from_millis(1500);
        let failure = number("x").timeout().retry_after(delay).expect_err("x is no number");
        let wire = wire::Failure::from(failure.detail("more"));
        assert_eq!(wire.class, ErrorClass::Timeout);
        assert_eq!(wire.retry_after_ms, Some(1500));
        assert_eq!(wire.detail.as_deref(), Some("more"));
    }

    #[test]
    fn strings_and_boxed_errors_are_errors_too() {
        let missing: Result<u8> = None.ok_or("there is no page").permanent();
        assert_eq!(missing.expect_err("none").to_string(), "there is no page");

        let boxed: Box<dyn Error> = "full".into();
        assert_eq!(Failure::from(boxed).message, "full");
    }

    #[test]
    fn the_message_tells_the_causes_once() {
        #[derive(Debug)]
        struct Outer(&'static str, std::num::ParseIntError);
        impl fmt::Display for Outer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.1)
            }
        }
        let cause = "x".parse::<u8>().expect_err("x is no number");
        for said in ["reading the page", "reading the page: invalid digit found in string"] {
            let failure = Failure::from(Outer(said, cause.clone()));
            assert_eq!(failure.message, "reading the page: invalid digit found in string");
        }
    }
}

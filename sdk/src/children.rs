//! The jobs that a continuation continues.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::bindings::flyball::worker::children as wire;
use crate::{Classify, ErrorClass, Failure, Result};

pub use wire::ChildState;

/// How many are asked for at a time; the host answers fewer if they are large.
const PAGE: u32 = 100;

/// The follow-ups that this job continues, in the order in which they were asked for. Their barrier
/// has enqueued this job once all of them had ended. For any other job there are none.
///
/// ```no_run
/// # use flyball_worker::{Result, children};
/// fn sum() -> Result<u64> {
///     children().map(|child| child.output::<u64>()).sum()
/// }
/// ```
#[must_use = "children are read as they are iterated"]
pub fn children() -> Children {
    Children { page: Vec::new().into_iter(), next: 0 }
}

/// The children, read page by page. See [`children`].
#[derive(Debug)]
pub struct Children {
    page: std::vec::IntoIter<wire::Child>,
    next: u32,
}

impl Iterator for Children {
    type Item = Child;

    fn next(&mut self) -> Option<Child> {
        if self.page.len() == 0 {
            self.page = wire::list(self.next, PAGE).into_iter();
            self.next = self.next.saturating_add(u32::try_from(self.page.len()).unwrap_or(u32::MAX));
        }
        self.page.next().map(Child)
    }
}

/// A job that has ended, and what it came to.
#[derive(Clone, Debug)]
pub struct Child(wire::Child);

impl Child {
    /// Its job id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> ChildState {
        self.0.state
    }

    /// How many attempts there were.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What its last attempt failed of, if it failed.
    #[must_use]
    pub fn error(&self) -> Option<(ErrorClass, &str)> {
        let message = self.0.error_message.as_deref().unwrap_or_default();
        self.0.error_class.map(|class| (class, message))
    }

    /// What it returned, as anything that serde can read. Nothing reads as `()` or `None`.
    ///
    /// # Errors
    /// If it did not succeed, or returned something else: a permanent failure that names it.
    pub fn output<T: DeserializeOwned>(&self) -> Result<T> {
        let Self(wire::Child { id, kind, state, output, .. }) = self;
        if *state != ChildState::Succeeded {
            return Err(Failure::permanent(format!("the child {self} did not succeed")));
        }
        let output = output.as_deref().unwrap_or("null");
        let read = serde_json::from_str(output);
        read.map_err(|error| format!("the output of the {kind} {id}: {error}")).permanent()
    }
}

/// `word-count 0190… (discarded: no such page)`.
impl fmt::Display for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(wire::Child { id, kind, state, error_message, .. }) = self;
        let state = match state {
            ChildState::Succeeded => "succeeded",
            ChildState::Cancelled => "cancelled",
            ChildState::Discarded => "discarded",
            ChildState::Unfinished => "unfinished",
        };
        let why = error_message.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        write!(f, "{kind} {id} ({state}{why})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(state: ChildState, output: Option<&str>) -> Child {
        Child(wire::Child {
            id: "c-1".into(),
            kind: "page".into(),
            state,
            attempts: 2,
            output: output.map(str::to_owned),
            error_class: None,
            error_message: (state == ChildState::Discarded).then(|| "no such page".into()),
        })
    }

    #[test]
    fn the_output_of_a_child_is_read_as_what_it_is() {
        assert_eq!(child(ChildState::Succeeded, Some("[1,2]")).output::<Vec<u8>>().ok(), Some(vec![1, 2]));
        assert!(child(ChildState::Succeeded, None).output::<()>().is_ok());
        let other = child(ChildState::Succeeded, Some("7")).output::<String>().expect_err("no text");
        assert!(other.to_string().starts_with("the output of the page c-1: invalid type"), "{other}");
    }

    #[test]
    fn a_child_that_did_not_succeed_has_no_output_and_says_why() {
        let failure = child(ChildState::Discarded, None).output::<()>().expect_err("it was discarded");
        assert_eq!(failure.to_string(), "the child page c-1 (discarded: no such page) did not succeed");
    }
}

//! How an attempt ended that did not fail.

use std::time::Duration;

use serde::Serialize;

/// How an attempt ended that did not fail. A function that only ever completes returns its output
/// as it is, without this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T = ()> {
    /// The work is done, and this is the output.
    Complete(T),
    /// Not yet: run the job again after this delay. It costs no attempt.
    Snooze(Duration),
    /// The job is no longer wanted. The reason is for people.
    Cancel(String),
}

/// What a worker's function may return: an [`Outcome`], or an output that completes the job.
pub trait IntoOutcome {
    /// What the job leaves behind when it completes.
    type Output: Serialize;

    /// The outcome that this is.
    fn into_outcome(self) -> Outcome<Self::Output>;
}

impl<T: Serialize> IntoOutcome for Outcome<T> {
    type Output = T;

    fn into_outcome(self) -> Self {
        self
    }
}

impl<T: Serialize> IntoOutcome for T {
    type Output = T;

    fn into_outcome(self) -> Outcome<T> {
        Outcome::Complete(self)
    }
}

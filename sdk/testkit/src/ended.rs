//! What an attempt came to, and everything that it did.

use flyball::job::{Failure, Json, LogRecord, Meter, NewJob, Transition, Verdict};
use serde::de::DeserializeOwned;

use crate::Requested;

/// Progress that a worker reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// 0 to 1.
    pub fraction: f64,
    /// A few words.
    pub note: Option<String>,
}

/// An attempt that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub verdict: Verdict,
    /// What a node would do with the job now: retry it and when, discard it, and so on.
    pub transition: Transition,
    /// What it logged, its lines on standard output and standard error included.
    pub log: Vec<LogRecord>,
    /// The jobs that it asked for, in order; none if it did not complete, for then a node drops them.
    pub follow_ups: Vec<NewJob>,
    /// What is to run when all of them have ended, if it asked for that and completed.
    pub barrier: Option<NewJob>,
    /// What it saved last, for the next attempt to go on from.
    pub checkpoint: Option<Vec<u8>>,
    /// The progress that reached the host: not every report does.
    pub progress: Vec<Progress>,
    /// What it said that it cost, if it completed.
    pub cost_micros: u64,
    /// Its HTTP requests, in order, if there were stubs for them.
    pub requests: Vec<Requested>,
    /// What it used: fuel, memory and so on.
    pub meter: Meter,
}

impl Ended {
    /// Whether it completed.
    pub const fn completed(&self) -> bool {
        matches!(self.verdict, Verdict::Completed(_))
    }

    /// What it returned, as JSON, if it completed and returned something.
    pub const fn output_json(&self) -> Option<&Json> {
        match &self.verdict {
            Verdict::Completed(completion) => completion.output.as_ref(),
            Verdict::Snoozed { .. }
            | Verdict::Cancelled { .. }
            | Verdict::Stopped
            | Verdict::Failed(_)
            | Verdict::Released(_) => None,
        }
    }

    /// What it returned, if it completed and returned that.
    pub fn output<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.output_json()?.as_str()).ok()
    }

    /// Why it failed, if it did.
    pub const fn failure(&self) -> Option<&Failure> {
        match &self.verdict {
            Verdict::Failed(failure) => Some(failure),
            Verdict::Completed(_)
            | Verdict::Snoozed { .. }
            | Verdict::Cancelled { .. }
            | Verdict::Stopped
            | Verdict::Released(_) => None,
        }
    }
}

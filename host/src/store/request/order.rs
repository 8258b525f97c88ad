//! What operators order, and are answered.

use serde::{Deserialize, Serialize};

use crate::job::{ActionId, JobId, JobState};

/// An operator's order: repeated, it answers what was recorded.
#[derive(Clone, Debug)]
pub struct Order {
    /// Minted by the caller.
    pub action: ActionId,
    /// Who gives it.
    pub who: String,
}

/// What became of a request to cancel one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// It was waiting, and is cancelled.
    Cancelled,
    /// It runs; its node was told.
    Requested,
    /// It had ended before, like this.
    Ended(JobState),
    /// There is no such job.
    NotFound,
}

/// What became of a request to retry one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAnswer {
    /// It is available.
    Available,
    /// It runs: cancel it first.
    Running,
    /// It succeeded: a retry is refused.
    Succeeded,
    /// It is paused: resume it.
    Paused,
    /// Another job that has not ended holds its active key.
    KeyTaken(JobId),
    /// There is no such job.
    NotFound,
}

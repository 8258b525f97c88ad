//! What is asked of schedules, and answered.

use serde::{Deserialize, Serialize};

use crate::job::{ActionId, JobId, Kind, Queue, Slug, Timestamp};
use crate::timing::Origin;

/// An operator's order about one thing that is no job, a schedule or a queue: repeated, it answers what was recorded.
#[derive(Clone, Debug)]
pub struct SingleOrder {
    /// Minted by the caller.
    pub action: ActionId,
    /// Who gives it.
    pub who: String,
}

/// What became of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKept {
    /// It is new.
    Added,
    /// There was one of this name: it is like this now.
    Changed,
    /// It was like this before.
    Unchanged,
    /// A configuration has it, which alone changes it.
    OfConfig,
}

/// What became of an order to remove a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleRemoved {
    /// It is gone; this is who made it.
    Removed(Origin),
    /// There is no such schedule.
    NotFound,
}

/// Into service, or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It fires, from now on.
    Enable,
    /// It does not fire, until an operator enables it.
    Disable,
}

/// What became of an order to switch a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleSwitched {
    /// It is as ordered.
    Switched,
    /// It was before.
    AsItWas,
    /// It can't be read, for this reason, and so can't be enabled.
    Broken(String),
    /// There is no such schedule.
    NotFound,
}

/// What became of an order to run a schedule now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleRan {
    /// This job was enqueued.
    Enqueued(JobId),
    /// It can't be read, for this reason.
    Broken(String),
    /// There is no such schedule.
    NotFound,
}

/// What became of the schedules of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// New ones.
    pub added: Vec<Slug>,
    /// Those that are different from what they were, or in the configuration again.
    pub changed: Vec<Slug>,
    /// Those that the configuration does not have any more.
    pub deactivated: Vec<Slug>,
    /// Those that an operator has made under the same name, which are left alone.
    pub of_operators: Vec<Slug>,
    /// Those that can't be kept, and why.
    pub refused: Vec<(Slug, String)>,
}

/// A schedule that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSchedule {
    /// Which.
    pub slug: Slug,
    /// Since when.
    pub next_at: Timestamp,
}

/// What became of a schedule that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fired {
    /// It is not due, or another node has it.
    Nothing,
    /// Its cursor has come on.
    Moved {
        /// The jobs of its buckets.
        jobs: Vec<FiredJob>,
        /// Buckets that were passed over, because the last job had not ended.
        skipped: u32,
    },
    /// It could not be fired, for this reason, and this is news.
    Broken(String),
    /// It could not be fired, for the reason that is known.
    StillBroken,
}

/// The job of one bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FiredJob {
    /// Which.
    pub job: JobId,
    /// Its kind.
    pub kind: Kind,
    /// Its queue.
    pub queue: Queue,
    /// Whether the bucket was fired before: then this is the job that it has.
    pub repeated: bool,
}

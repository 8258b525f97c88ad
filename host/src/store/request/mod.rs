//! What is asked of a store and what it answers, where that is more than a noun of `job/`.

mod action;
mod attempt;
mod flag;
mod health;
mod limit;
mod node;
mod order;
mod read;
mod retention;
mod schedule;
mod selection;
mod skew;
mod upkeep;

use serde::Serialize;

use crate::job::JobId;

pub use action::{ActionFilter, ActionRecord};
pub use attempt::{
    CheckpointSave, ChildrenPage, ClaimRequest, Claimed, Classes, ProgressReport, QueueRoom, QueueShare,
    Queues, ServedKind, Settled, Turn,
};
pub use flag::{Flag, FlagSet, Flagged};
pub use health::{BatchProgress, FailureFilter, FailureRecord, Health, KindWaiting, LogPart, QueueHealth};
pub use limit::{LimitKept, LimitLine, LimitRecord, LimitRemoved, LimitsReconciled};
pub use node::{
    Comparison, KindDefaults, NewNode, Notes, PublishedKind, Reclaimed, Registered, Renewal, Renewed,
};
pub use order::{Answer, KeyTaken, Need, Order, Step, Survey, Tally};
pub use read::{Ahead, JobFilter, KindRecord, LaneCount, NodeRecord, Overview, Page, Waiting};
pub use retention::{Doom, Footprint, Place, PruneStep, Pruned};
pub use schedule::{
    DueSchedule, Fired, FiredJob, Reconciled, ScheduleKept, ScheduleRan, ScheduleRemoved, ScheduleSwitched,
    SingleOrder, Switch,
};
pub use selection::{Between, Scope, Selection, SelectionError};
pub use skew::Skew;
pub use upkeep::{Activity, Promoted, Sweep, Swept};

/// Which database a store is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    /// One file, one node.
    Sqlite,
    /// One server, any number of nodes.
    Postgres,
}

/// What became of one job of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is there, now or from an earlier try with the same id.
    New(JobId),
    /// A unique key was taken by this job; nothing was inserted.
    Duplicate(JobId),
}

impl Inserted {
    /// The job that the caller has now.
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Duplicate(id) => id,
        }
    }
}

//! What an attempt came to, before anybody decided what that means for the job.

use std::time::Duration;

use super::{Failure, Json, NewJob};

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The worker did its work.
    Completed(Completion),
    /// The worker asked to be called again after a delay.
    Snoozed {
        /// Counted from when the attempt is settled.
        delay: Duration,
    },
    /// The worker asked that the job be cancelled.
    Cancelled {
        /// Why, in the worker's words.
        reason: String,
    },
    /// An operator's request to cancel was carried out.
    Stopped,
    /// The attempt failed.
    Failed(Failure),
    /// The attempt was given back, through no fault of the job.
    Released(Release),
}

/// What a worker that completed leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// What it returned.
    pub output: Option<Json>,
    /// What it said that it cost, in millionths of whatever it counts in.
    pub cost_micros: u64,
    /// The jobs that it asked for; inserted if and only if the job succeeds.
    pub follow_ups: Vec<NewJob>,
    /// What is enqueued when these have ended; set if and only if the job succeeds.
    pub barrier: Option<Box<NewJob>>,
}

/// Why an attempt was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The node is stopping.
    Drain,
    /// The node could not renew its lease.
    LeaseLost,
    /// The node no longer has the kind.
    KindGone,
    /// Claimed, but never begun.
    NotStarted,
    /// The node had no memory left for it.
    Memory,
    /// The node had no sandbox left for it.
    Pool,
}

impl Release {
    /// Whether the job should wait a while, because the same node would be as full at once.
    pub const fn waits(self) -> bool {
        match self {
            Self::Memory | Self::Pool => true,
            Self::Drain | Self::LeaseLost | Self::KindGone | Self::NotStarted => false,
        }
    }

    /// One line for the run's record.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Drain => "released: the node is stopping",
            Self::LeaseLost => "released: the node could not renew its lease",
            Self::KindGone => "released: the node no longer has the kind",
            Self::NotStarted => "released: claimed but not started",
            Self::Memory => "released: the node's guest memory was spent",
            Self::Pool => "released: the node had no free sandbox",
        }
    }
}

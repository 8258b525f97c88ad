//! Claims and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use super::Inserted;
use crate::job::{Claim, ExecutorClass, JobId, JobState, Kind, NodeId, Outcome, Queue, RunId, Weight};

/// A request for work.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Who asks.
    pub node: NodeId,
    /// One id for each job that there is room for: the run ids, and the lease tokens.
    pub runs: Vec<RunId>,
    /// The lines that it takes from.
    pub queues: Queues,
    /// Of the queues that are ahead of their share of the node's slots, or whose weight is not 1.
    pub shares: Vec<QueueShare>,
    /// The kinds that it has loaded.
    pub kinds: Vec<ServedKind>,
    /// The executor classes that it has.
    pub classes: Classes,
    /// What sort of work.
    pub turn: Turn,
}

/// Which queues, and how much of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Queues {
    /// All there are, without a bound of their own.
    Every,
    /// These, each with its room.
    Only(Vec<QueueRoom>),
}

/// Room for jobs of one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRoom {
    /// The queue.
    pub queue: Queue,
    /// At most so many jobs of it in this claim.
    pub room: u32,
}

/// How a queue stands to the others that it shares the node's slots with. A claim takes the jobs that begin first: the
/// one at place `n` of its queue, by priority, begins at `ahead + (n - 1) * cost`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueShare {
    /// The queue.
    pub queue: Queue,
    /// Its weight, which is what a job of it costs.
    pub weight: Weight,
    /// How far it is ahead of a queue that is not named, as parts of [`Weight::TURN`].
    pub ahead: u64,
}

/// Which executor classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classes {
    /// All there are.
    Every,
    /// These; the empty class is the jobs without one.
    Only(Vec<ExecutorClass>),
}

/// A kind that a node can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    /// The kind.
    pub kind: Kind,
    /// The time-out of its jobs that ask for none.
    pub timeout: Duration,
    /// The digest of the component that would run them now.
    pub digest: String,
}

/// What sort of work a claim takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// All but last chances.
    Fresh,
    /// One job whose next loss would discard it. The node must run nothing else meanwhile.
    LastChance,
}

/// The answer to a request for work.
#[derive(Debug, Default)]
pub struct Claimed {
    /// The jobs, in the order in which they are to start.
    pub claims: Vec<Claim>,
    /// A last-chance job waits in the lanes that were asked for, not counting those of this answer.
    pub last_chances: bool,
    /// There may be more for the ids that are left: others were claiming the same jobs to the last, or one answer does
    /// not carry them all. Ask again at once.
    pub more: bool,
}

/// What became of one settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The job moved, now or at an earlier try.
    Advanced {
        /// Where it went: `cancelled` instead of a waiting state if that was asked meanwhile.
        state: JobState,
        /// The outcome that its run has now: what was settled, or `error` if that could not be kept.
        outcome: Outcome,
        /// What became of its follow-ups, in order.
        follow_ups: Vec<Inserted>,
    },
    /// The lease was no longer this one; the late outcome was noted on the run.
    Superseded,
}

/// A checkpoint that a running attempt saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSave {
    /// The job.
    pub job: JobId,
    /// The attempt, and the fence.
    pub run: RunId,
    /// Which of the attempt's saves it is: of two the larger one stays, whichever comes last.
    pub number: u64,
    /// What it saved.
    pub data: Arc<[u8]>,
}

/// Some of the jobs that a continuation continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildrenPage {
    /// The job that asked for them.
    pub parent: JobId,
    /// Its run.
    pub run: RunId,
    /// How many to pass over.
    pub offset: u32,
    /// How many at most; a page has a bound of its own, in number and in bytes.
    pub limit: u32,
}

/// The last progress of a running attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct ProgressReport {
    /// The attempt.
    pub run: RunId,
    /// 0 to 1.
    pub fraction: f64,
    /// A few words.
    pub note: Option<String>,
}

//! Nodes enter, publish, renew.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::{
    Backoff, JobId, Json, Kind, NodeId, Outcome, Queue, RetentionPolicy, RunId, Timestamp, Transition,
};

/// A node that enters.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// Its id; never used before.
    pub id: NodeId,
    /// What operators know it by.
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// Of the binary.
    pub version: String,
    /// Attempts at once.
    pub concurrency: u32,
    /// Queues, classes: as a JSON object.
    pub serves: Json,
    /// How long its lease is. Ignored on SQLite.
    pub lease: Duration,
    /// How long it keeps what has ended, if it takes part in deleting that.
    pub retention: Option<RetentionPolicy>,
}

/// The answer to a node that entered.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// What a dead process had left running (SQLite).
    pub reclaimed: Vec<Reclaimed>,
    /// The database's time, and so when the lease began.
    pub database_time: Option<Timestamp>,
}

/// A running job that was taken from a lost node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reclaimed {
    /// The job.
    pub job: JobId,
    /// The attempt that was lost.
    pub run: RunId,
    /// Its number.
    pub attempt: u32,
    /// Its kind.
    pub kind: Kind,
    /// Its queue.
    pub queue: Queue,
    /// The node that was lost.
    pub node: Option<NodeId>,
    /// `crashed`, or `timeout` where a wedged node missed the deadline.
    pub outcome: Outcome,
    /// Where it went.
    pub transition: Transition,
}

/// A kind as a node publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedKind {
    /// The kind.
    pub kind: Kind,
    /// The digest of its component.
    pub digest: String,
    /// One line by its author.
    pub summary: String,
    /// The JSON schema of its args.
    pub args_schema: Option<Json>,
    /// What its jobs get if they ask for nothing.
    pub defaults: KindDefaults,
}

/// What a kind's jobs get if they ask for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the columns of jobs of the same names")]
pub struct KindDefaults {
    pub max_attempts: u32,
    pub timeout_ms: u64,
    pub fuel: u64,
    pub memory_bytes: u64,
    pub backoff: Backoff,
}

/// A renewal: what the node believes that it holds.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Who.
    pub node: NodeId,
    /// How long the lease is from now.
    pub lease: Duration,
    /// Attempts whose outcome is not stored yet.
    pub held: Vec<RunId>,
    /// Run ids of claims that were not answered yet.
    pub pending: Vec<RunId>,
    /// Those of `held` that have ended and whose outcome waits to be stored: their deadlines are extended.
    pub unwritten: Vec<RunId>,
    /// Parts the claims before this renewal from those after it: only what was claimed under a smaller run id may be
    /// given back by it (`lease_token < watermark`), however late the database carries it out. The node mints run ids
    /// that only grow.
    pub watermark: RunId,
    /// Attempts that run now.
    pub in_flight: u32,
    /// Monotonic time since the last renewal that succeeded, or since it registered.
    pub elapsed: Duration,
}

/// The answer to a renewal: the lease is renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The database's time.
    pub database_time: Timestamp,
    /// What node and database believe of each other.
    pub notes: Notes,
}

/// What a renewal found out about what the node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notes {
    /// Both believe the same, but for this.
    Compared(Comparison),
    /// Nothing: the lease was renewed, and then the connection failed. The next renewal compares.
    Missing,
}

/// In what a node and the database do not agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Held attempts that are no longer this node's: stop them.
    pub lost: Vec<RunId>,
    /// Held attempts whose jobs somebody asked to cancel.
    pub cancels: Vec<RunId>,
    /// Jobs that the database held for this node under an id that it does not know; they went back as released.
    pub released: Vec<JobId>,
}

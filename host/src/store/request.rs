//! What is asked of a store and what it answers, where that is more than a noun of `job/`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::job::{
    ActionId, Backoff, Claim, ExecutorClass, JobId, JobState, Json, Kind, LossPolicy, NodeId, Outcome, Queue,
    RunId, Tag, Timestamp, Transition,
};

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

/// A request for work.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Who asks.
    pub node: NodeId,
    /// One id for each job that there is room for: the run ids, and the lease tokens.
    pub runs: Vec<RunId>,
    /// The lines that it takes from.
    pub queues: Queues,
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

/// A kind as it was published last.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct KindRecord {
    pub kind: Kind,
    pub summary: String,
    pub args_schema: Option<Json>,
    pub defaults: Json,
    pub paused: bool,
    pub published_at: Timestamp,
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

/// Something that one node at a time does.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Its name: `sweep`, `cron`, `retention`.
    pub name: &'static str,
    /// Who wants to.
    pub node: NodeId,
    /// For how long.
    pub lease: Duration,
}

/// A search for dead nodes.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Who searches; it must have been steady for a lease.
    pub node: NodeId,
    /// The lease that nodes have.
    pub lease: Duration,
    /// How losses are treated.
    pub losses: LossPolicy,
    /// How long past its deadline an attempt is left to its own node.
    pub deadline_grace: Duration,
}

/// What a sweep found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Nodes that it marked lost.
    pub lost_nodes: Vec<NodeId>,
    /// Jobs that it took back.
    pub reclaimed: Vec<Reclaimed>,
    /// What it could not do. None of it held up anything else; the next sweep tries again.
    pub errors: Vec<StoreError>,
}

/// What a promotion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promoted {
    /// How many jobs became available.
    pub count: u32,
    /// When the next one is due.
    pub next_due: Option<Timestamp>,
}

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

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// In any of these states; all if empty.
    pub states: Vec<JobState>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// In this queue.
    pub queue: Option<Queue>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Older than this one: the last of the page before.
    pub before: Option<JobId>,
    /// At most so many; 1…1000.
    pub limit: u32,
}

/// How things stand.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// Jobs by state; every state is named.
    pub states: BTreeMap<JobState, u64>,
    /// Lanes with jobs that are available.
    pub lanes: Vec<LaneCount>,
    /// When it was so.
    pub sampled_at: Timestamp,
}

/// The available jobs of one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are columns of jobs")]
pub struct LaneCount {
    pub queue: Queue,
    pub kind: Kind,
    pub executor_class: ExecutorClass,
    /// How many are available.
    pub available: u64,
    /// Since when the first of them has been due.
    pub oldest_due: Timestamp,
}

/// A node as it was seen last.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct NodeRecord {
    pub id: NodeId,
    pub name: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub steady_since: Option<Timestamp>,
    pub lost_at: Option<Timestamp>,
    /// Set, and `lost_at` too, if it left in order.
    pub left_at: Option<Timestamp>,
    pub serves: Json,
    pub kinds: Json,
    pub concurrency: u32,
    pub in_flight: u32,
}

//! Remembering: jobs, runs and nodes, on SQLite or PostgreSQL.
//!
//! [`Store`] speaks in domain values. It never decides what the end of an attempt means (`job/` does); it compares,
//! swaps, and answers what it did. Every verb is safe to repeat: a caller whose answer was lost asks again with the
//! same ids. Time is an argument of every verb.

#[doc(hidden)]
pub mod backlog;
mod batch;
mod claimed;
mod codec;
mod dialect;
mod error;
mod fault;
mod flags;
mod foreign;
mod inspect;
mod limits;
mod open;
mod policy;
mod postgres;
#[doc(hidden)]
pub mod probe;
mod records;
mod request;
mod retention;
mod roads;
mod schedules;
mod schema;
mod sql_store;
mod sqlite;
mod statements;
mod value;
mod verb;

use std::sync::Arc;

use async_trait::async_trait;

pub use error::StoreError;
pub use flags::Flags;
pub use foreign::Foreign;
pub use inspect::{Departure, Difference, compare_schema};
pub use limits::Limits;
pub use open::{OpenOptions, Role, SchemaMode, Synchronous, database_of, open};
pub use policy::{FleetPolicy, NodePolicy};
pub use request::{
    ActionFilter, ActionRecord, Activity, Ahead, Answer, BatchProgress, Between, CheckpointSave,
    ChildrenPage, ClaimRequest, Claimed, Classes, Comparison, Database, Doom, DueSchedule, FailureFilter,
    FailureRecord, Fired, FiredJob, Flag, FlagSet, Flagged, Footprint, Health, Inserted, JobFilter, KeyTaken,
    KindDefaults, KindRecord, KindWaiting, LaneCount, LimitKept, LimitLine, LimitRecord, LimitRemoved,
    LimitsReconciled, LogPart, Need, NewNode, NodeRecord, Notes, Order, Overview, Page, Place,
    ProgressReport, Promoted, PruneStep, Pruned, PublishedKind, QueueHealth, QueueRoom, QueueShare, Queues,
    Reclaimed, Reconciled, Registered, Renewal, Renewed, ScheduleKept, ScheduleRan, ScheduleRemoved,
    ScheduleSwitched, Scope, Selection, SelectionError, ServedKind, Settled, SingleOrder, Skew, Step, Survey,
    Sweep, Swept, Switch, Tally, Turn, Waiting,
};
pub use retention::Retention;
pub use schedules::Schedules;
pub use schema::{Migration, migrate, migration_script, migrations, pending_migrations};

use crate::job::{
    ChildRecord, JobId, JobRecord, JobState, Kind, LogRecord, LossPolicy, NewJob, NodeId, RunId, RunRecord,
    Settlement, Timestamp,
};
use crate::wake::Bell;

/// How many reads of guests (children, checkpoints) a store carries out at once, on connections of their own: what a
/// stranger asks for on and on is in nobody else's way.
pub const GUEST_READS: u32 = 2;

/// The result of a store verb.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What remembers.
#[async_trait]
pub trait Store: Schedules + Retention + Flags + Limits + Send + Sync + 'static {
    // What it is.

    /// What it was opened with: its clock and its audience are those of whoever is built over it.
    fn options(&self) -> &OpenOptions;
    /// Which database.
    fn database(&self) -> Database;
    /// The bell that verbs ring when jobs become available, a cancel is asked or a job becomes due, in this process
    /// or, as far as the database tells, in another.
    fn bell(&self) -> &Bell;
    /// Whether rings of other processes are known to arrive. While not, whoever waits for a cancel polls.
    fn hears_others(&self) -> bool;
    /// Statements sent so far, transaction control included.
    fn statements(&self) -> u64;
    /// The database's own time.
    async fn time(&self) -> Result<Timestamp>;
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;

    // Jobs come in.

    /// Inserts jobs; answers in input order. A job whose id is there already is the same job; one whose unique key is
    /// taken answers the job that has it.
    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>>;
    /// As [`Store::insert`], in the caller's own transaction; nothing is repeated. Nobody is woken before
    /// [`Store::ring_for_inserted`], but that on PostgreSQL the commit wakes who has nothing else to do.
    async fn insert_in(&self, connection: Foreign<'_>, jobs: &[NewJob]) -> Result<Vec<Inserted>>;
    /// Wakes whoever waits for such jobs, once their transaction has committed.
    fn ring_for_inserted(&self, jobs: &[(JobState, Timestamp)]);

    // Attempts.

    /// Claims due jobs, at most one for each run id of the request, and writes their run rows, in one transaction.
    /// A repeat with the same run ids answers the same claims. Refused with [`StoreError::NodeLost`] once the node
    /// was marked lost.
    async fn claim(&self, request: &ClaimRequest, now: Timestamp) -> Result<Claimed>;
    /// Carries out settlements; answers in input order. What the database can't keep as it is, is kept as a failed
    /// attempt that says why. Fails only for the infrastructure: then the same batch is to be offered again.
    async fn finalize(&self, batch: &[Settlement], now: Timestamp) -> Result<Vec<Settled>>;
    /// Stores the last progress of running attempts. Stale ones are ignored.
    async fn report_progress(&self, reports: &[ProgressReport], now: Timestamp) -> Result<()>;
    /// Stores the checkpoint of a running attempt. A stale one is ignored, and so is one that comes after a later one.
    async fn save_checkpoint(&self, save: &CheckpointSave, now: Timestamp) -> Result<()>;
    /// The checkpoint that attempts before this one left.
    async fn checkpoint(&self, job: JobId) -> Result<Option<Arc<[u8]>>>;
    /// Some of the jobs that a continuation continues, in the order in which they were asked for. It answers fewer than
    /// it was asked for where they are large, but one at least if there is one.
    async fn children(&self, page: &ChildrenPage) -> Result<Vec<ChildRecord>>;
    /// The node's running attempts whose jobs somebody asked to cancel.
    async fn cancels(&self, node: NodeId) -> Result<Vec<RunId>>;

    // Nodes.

    /// Enters a node under a new id. On SQLite, reclaims what a dead process left running.
    async fn register(&self, node: &NewNode, losses: &LossPolicy, now: Timestamp) -> Result<Registered>;
    /// Publishes what the node serves now, and the kinds' schemas and defaults.
    async fn publish(&self, node: NodeId, kinds: &[PublishedKind], now: Timestamp) -> Result<()>;
    /// Renews the node's lease and compares notes, if need be without the notes. Refused with [`StoreError::NodeLost`] once the node was marked lost.
    async fn renew(&self, renewal: &Renewal, now: Timestamp) -> Result<Renewed>;
    /// Takes the node out, after its last outcome was stored; what it still holds goes back as released.
    async fn leave(&self, node: NodeId, now: Timestamp) -> Result<()>;

    // Maintenance.

    /// Takes or renews the lease of an activity that one node at a time carries out.
    async fn hold(&self, activity: &Activity, now: Timestamp) -> Result<bool>;
    /// Marks dead nodes lost and reclaims what they ran; ends attempts whose deadline a wedged node missed.
    async fn sweep(&self, sweep: &Sweep, now: Timestamp) -> Result<Swept>;
    /// Makes due jobs available, at most `limit` of them.
    async fn promote(&self, limit: u32, now: Timestamp) -> Result<Promoted>;

    // Operators.

    /// Carries out an order for jobs, in batches; answers in input order.
    async fn order(&self, order: &Order, jobs: &[JobId], now: Timestamp) -> Result<Vec<Answer>>;
    /// Carries out an order for the next batch of a selection, from the newest job to the oldest; says where the batch
    /// after it begins. Under one action id, a repeat of the chain of batches is answered what was recorded of each, and
    /// goes on from there.
    async fn order_next(
        &self,
        order: &Order,
        selection: &Selection,
        from: Option<JobId>,
        now: Timestamp,
    ) -> Result<Step>;
    /// Counts the jobs of the next part of a selection.
    async fn survey(&self, selection: &Selection, from: Option<JobId>) -> Result<Survey>;

    /// What operators ordered, the newest first.
    async fn actions(&self, filter: &ActionFilter) -> Result<Vec<ActionRecord>>;

    // Reads.

    /// One job.
    async fn job(&self, id: JobId) -> Result<Option<JobRecord>>;
    /// The state of a job, without the rest of it.
    async fn state(&self, job: JobId) -> Result<Option<JobState>>;
    /// Its runs, newest first.
    async fn runs(&self, job: JobId) -> Result<Vec<RunRecord>>;
    /// Its newest run.
    async fn last_run(&self, job: JobId) -> Result<Option<RunRecord>>;
    /// How many jobs come before an available one in its lane, counted up to `most`.
    async fn ahead(&self, job: &JobRecord, most: u32) -> Result<Ahead>;
    /// One run.
    async fn run(&self, id: RunId) -> Result<Option<RunRecord>>;
    /// Lines of the log of one run, in order.
    async fn log(&self, run: RunId, part: LogPart) -> Result<Vec<LogRecord>>;
    /// A page of jobs, newest first. What it costs is bounded: where few of many jobs are meant, it may end before it is
    /// full, and says where the next one begins.
    async fn page(&self, filter: &JobFilter) -> Result<Page>;
    /// Jobs by state, lanes with jobs that wait.
    async fn overview(&self, now: Timestamp) -> Result<Overview>;
    /// The lanes in which a job waits that would run without anybody's help: one that is available or due, or that has
    /// begun and comes back by `until`. Those that somebody paused are not among them.
    async fn waiting(&self, now: Timestamp, until: Timestamp) -> Result<Vec<Waiting>>;
    /// How the queues stand.
    async fn health(&self, now: Timestamp) -> Result<Health>;
    /// How far the children of a job have come, or those of one of its runs.
    async fn batch(&self, parent: JobId, run: Option<RunId>, now: Timestamp) -> Result<BatchProgress>;
    /// The newest failures of jobs that were given up or wait for their next attempt.
    async fn failures(&self, filter: &FailureFilter) -> Result<Vec<FailureRecord>>;
    /// The nodes, newest first, lost ones included until they are folded away.
    async fn nodes(&self) -> Result<Vec<NodeRecord>>;
    /// A kind as nodes published it last.
    async fn kind(&self, kind: &Kind) -> Result<Option<KindRecord>>;
    /// The kinds that nodes have published.
    async fn kinds(&self) -> Result<Vec<KindRecord>>;

    /// Ends background tasks and closes connections.
    async fn close(&self);
}

/// A store that is shared.
pub type SharedStore = Arc<dyn Store>;

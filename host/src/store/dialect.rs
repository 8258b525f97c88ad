//! The seam between the verbs and a database: statements with neutral values in, neutral rows out.

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::batch::Wire;
use super::claimed::{Ask, Taken};
use super::fault::Fault;
use super::statements::{Statements, statements};
use super::value::{Row, Value};
use super::{Database, Foreign, Result};
use crate::job::{Queue, Timestamp};
use crate::wake::Line;

/// The result of a statement or a transaction.
pub(super) type Outcome<T> = std::result::Result<T, Fault>;

/// What a verb does with a session: a closure, so that a dialect can carry it to where its connection lives.
pub(super) trait Work<T>:
    for<'s> FnOnce(&'s mut dyn Session) -> BoxFuture<'s, Outcome<T>> + Send + 'static
{
}

impl<T, F> Work<T> for F where
    F: for<'s> FnOnce(&'s mut dyn Session) -> BoxFuture<'s, Outcome<T>> + Send + 'static
{
}

/// One connection, as long as a verb has it.
#[async_trait]
pub(super) trait Session: Send {
    /// Runs one statement and gathers its answer.
    async fn run(&mut self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>>;
    /// The lines of limits that statements have changed so far: the columns `turn` of their answers. Whoever moved jobs
    /// looks at these before its transaction ends.
    fn turns(&mut self) -> &mut Turns;
}

/// Lines of limits that are to be looked at, by their keys.
pub(super) type Turns = std::collections::BTreeSet<String>;

/// A database: how it is spoken to, and the few verbs that take different roads on different ones.
#[async_trait]
pub(super) trait Dialect: Send + Sync + Sized + 'static {
    /// Which one.
    const DATABASE: Database;
    /// How instants are written inside JSON.
    const WIRE: Wire;

    /// The texts of its statements.
    fn statements(&self) -> &Statements;

    /// Runs one statement that only reads.
    async fn read(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>>;
    /// As [`Dialect::read`], for a guest: on connections that nothing else uses, [`GUEST_READS`](super::GUEST_READS) of them.
    async fn read_for_guest(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>>;
    /// Runs work that needs no transaction where each of its statements is whole by itself; a dialect whose verbs take
    /// several gives it one all the same.
    async fn alone<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T>;
    /// Runs work in a transaction, which is given up if the work fails.
    async fn transact<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T>;
    /// As [`Dialect::transact`], with more patience: for deletions by the thousand, of which one is under way at a time.
    async fn prune<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T>;
    /// As [`Dialect::alone`], on a connection that is kept for renewals and answers within a third of a lease.
    async fn lease<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T>;
    /// As [`Dialect::lease`], in a transaction.
    async fn lease_transact<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T>;

    /// The caller's own connection, as a session; whatever bounds the caller wants, it sets itself.
    fn foreign<'s>(&'s self, connection: Foreign<'s>) -> Result<Box<dyn Session + 's>>;
    /// Tells other processes when and if the caller's transaction commits, where that costs its commit little: if one of
    /// the queues has nothing else to be done. Asked before the jobs are inserted.
    async fn announce_foreign(&self, session: &mut dyn Session, queues: &[&Queue]) -> Outcome<()>;

    /// Claims, in a transaction of its own.
    async fn claim(&self, ask: &Ask) -> Outcome<Taken>;
    /// Moves running jobs on and ends their runs, fenced by their tokens; answers a row for each that moved: `run`,
    /// `state`, `outcome`.
    async fn settle(&self, session: &mut dyn Session, batch: &Settling) -> Outcome<Vec<Row>>;

    /// Marks all other nodes lost, where there may be one only.
    async fn supersede(&self, session: &mut dyn Session, node: Value, now: Timestamp) -> Outcome<()>;

    /// The statements of the sweep, where there is one.
    fn sweep_texts(&self) -> Option<&SweepTexts>;

    /// Tells other processes.
    fn announce(&self, ring: Ring);
    /// Tells other processes, when and if this transaction commits.
    async fn announce_inside(&self, session: &mut dyn Session, line: Line) -> Outcome<()>;
    /// Whether others are heard.
    fn hears_others(&self) -> bool;
    /// Statements sent so far.
    fn sent(&self) -> u64;
    /// How large its write-ahead log is, where that is a file of ours.
    fn wal_bytes(&self) -> Option<u64>;
    /// The database's own time.
    async fn time(&self) -> Outcome<Timestamp>;
    /// Refuses to be a node where it may not be.
    fn may_serve(&self) -> Result<()>;
    /// Ends background tasks and closes connections.
    async fn close(&self);
}

statements! {
    /// What a sweep runs; only where nodes have leases.
    SweepTexts { sweep_cut, sweep_dead, sweep_mark, sweep_overdue, sweep_ready, }
}

/// What to ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    /// Jobs became available.
    Work,
    /// A job is due at this time.
    Due(Timestamp),
    /// Lines of limits are to be looked at.
    Lines,
    /// A schedule was added or changed.
    Schedule,
}

/// A batch of ends of attempts, on its way.
#[derive(Clone, Debug)]
pub(super) struct Settling {
    /// The items, as `settling.rs` writes them.
    pub(super) batch: std::sync::Arc<str>,
    /// Who settles.
    pub(super) by: crate::job::SettledBy,
    /// When.
    pub(super) now: Timestamp,
}

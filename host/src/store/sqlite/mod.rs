//! SQLite: one writer that carries out verbs in order, readers apart, one `serve` per file.

mod backlog;
mod claim;
mod connect;
mod inspect;
mod lock;
mod migrate;
mod session;
mod wal;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;

use self::lock::ServeLock;
use self::session::SqliteSession;
use self::wal::Wal;
use self::writer::Writer;
use super::batch::Wire;
use super::claimed::{Ask, Taken};
use super::dialect::{Dialect, Outcome, Ring, Session, Settling, SweepTexts, Turns, Work};
use super::statements::{Edit, Statements, statements, texts};
use super::value::{Row, Value};
use super::{Database, Foreign, GUEST_READS, OpenOptions, Result, Role, StoreError};
use crate::clock::Clock;
use crate::job::{Queue, Timestamp};
use crate::wake::{Bell, Line};
use sqlx::SqlitePool;

pub(super) use backlog::{effort, fill, tidy};
pub(super) use connect::path_of;
pub(super) use inspect::{expected as expected_schema, found as found_schema};
pub(super) use migrate::{VERSIONS, applied, migrate};

statements! {
    /// What only SQLite runs, because it takes other roads.
    Own {
        claim_begin, claim_charge, claim_look, claim_take, claim_walk, claim_walk_last_chance, node_supersede, settle_jobs,
        settle_logs, settle_runs, wal_begin_anew,
    }
}

/// A text that both databases share, without the schema that SQLite does not have. Made once for each.
fn shared(text: &'static str) -> &'static str {
    String::leak(text.replace("flyball.", ""))
}

/// The texts as they are shipped.
static TEXTS: LazyLock<(Statements, Own)> = LazyLock::new(|| {
    let claim_walk = include_str!("../sql/claim_walk.sqlite.sql");
    let own = Own {
        claim_begin: include_str!("../sql/claim_begin.sqlite.sql"),
        claim_charge: include_str!("../sql/claim_charge.sqlite.sql"),
        claim_look: include_str!("../sql/claim_look.sqlite.sql"),
        claim_take: include_str!("../sql/claim_take.sqlite.sql"),
        claim_walk,
        claim_walk_last_chance: String::leak(
            claim_walk
                .replace("INDEXED BY jobs_claim", "INDEXED BY jobs_last_chance")
                .replace("NOT j.last_chance", "j.last_chance")
                .replace("NOT n.last_chance", "n.last_chance"),
        ),
        node_supersede: include_str!("../sql/node_supersede.sqlite.sql"),
        settle_jobs: include_str!("../sql/settle_jobs.sqlite.sql"),
        settle_logs: include_str!("../sql/settle_logs.sqlite.sql"),
        settle_runs: include_str!("../sql/settle_runs.sqlite.sql"),
        wal_begin_anew: include_str!("../sql/wal_begin_anew.sqlite.sql"),
    };
    (
        texts!(
            "sqlite",
            shared,
            "",
            "WHERE j.id IN (SELECT d.value FROM json_each($17) AS d) AND +j.id < $1 AND +j.id >= $2\n"
        ),
        own,
    )
});

/// Every statement by name, for tests.
pub(super) fn all_statements() -> Vec<(&'static str, &'static str)> {
    let (statements, own) = &*TEXTS;
    [statements.all(), own.all()].concat()
}

/// A SQLite file, opened.
pub(super) struct Sqlite {
    statements: Statements,
    own: Own,
    writer: Writer,
    readers: SqlitePool,
    /// What guests ask for: however slow it is, no other read waits for it.
    guest_readers: SqlitePool,
    sent: Arc<AtomicU64>,
    clock: Clock,
    wal: Wal,
    lock: Mutex<Option<ServeLock>>,
}

impl Sqlite {
    /// Opens the file, which is created if need be, and takes its lock for a node.
    pub(super) async fn open(url: &str, options: &OpenOptions, edits: &[Edit], bell: Bell) -> Result<Self> {
        let path = path_of(url)?;
        let lock = match &options.role {
            Role::Serve { name } => Some(ServeLock::take(&path, name)?),
            Role::Client | Role::Onlooker => None,
        };
        let sent = Arc::new(AtomicU64::new(0));
        let connection = connect::writer(&path, options).await?;
        let readers = connect::readers(&path, options.connections);
        let guest_readers = connect::readers(&path, GUEST_READS);
        let (mut statements, mut own) = TEXTS.clone();
        for edit in edits {
            let text = statements.named(edit.statement).or_else(|| own.named(edit.statement));
            edit.apply(text.ok_or_else(|| StoreError::Schema(format!("no statement {}", edit.statement)))?)?;
        }
        let wal = Wal::beside(&path, own.wal_begin_anew);
        let started = Writer::start(connection, Arc::clone(&sent), bell, wal.clone()).await;
        let writer =
            started.map_err(|source| StoreError::Unavailable { doing: "opening the SQLite file", source })?;
        let clock = options.clock.clone();
        Ok(Self { statements, own, writer, readers, guest_readers, sent, clock, wal, lock: Mutex::new(lock) })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ServeLock>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Dialect for Sqlite {
    const DATABASE: Database = Database::Sqlite;
    const WIRE: Wire = Wire::Micros;

    fn statements(&self) -> &Statements {
        &self.statements
    }

    async fn read(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        let mut connection = self.readers.acquire().await?;
        SqliteSession { connection: &mut connection, sent: &self.sent, turns: Turns::new() }
            .run(statement, values)
            .await
    }

    async fn read_for_guest(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        let mut connection = self.guest_readers.acquire().await?;
        SqliteSession { connection: &mut connection, sent: &self.sent, turns: Turns::new() }
            .run(statement, values)
            .await
    }

    async fn alone<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.writer.order(work).await
    }

    async fn transact<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.writer.order(work).await
    }

    async fn prune<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.writer.order(work).await
    }

    async fn lease<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.writer.order(work).await
    }

    fn foreign<'s>(&'s self, connection: Foreign<'s>) -> Result<Box<dyn Session + 's>> {
        match connection {
            Foreign::Sqlite(connection) => {
                Ok(Box::new(SqliteSession { connection, sent: &self.sent, turns: Turns::new() }))
            }
            Foreign::Postgres(_) => Err(StoreError::foreign(Self::DATABASE)),
        }
    }

    async fn announce_foreign(&self, _session: &mut dyn Session, _queues: &[&Queue]) -> Outcome<()> {
        // Other processes see that the file changed.
        Ok(())
    }

    async fn lease_transact<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.writer.order(work).await
    }

    async fn claim(&self, ask: &Ask) -> Outcome<Taken> {
        claim::claim(self, ask).await
    }

    async fn settle(&self, session: &mut dyn Session, settling: &Settling) -> Outcome<Vec<Row>> {
        let batch = || Value::from(Arc::clone(&settling.batch));
        let (now, by) = (settling.now, settling.by.as_str());
        session.run(self.own.settle_logs, vec![batch()]).await?;
        session.run(self.own.settle_runs, vec![batch(), now.into(), by.into()]).await?;
        session.run(self.own.settle_jobs, vec![batch(), now.into()]).await
    }

    async fn supersede(&self, session: &mut dyn Session, node: Value, now: Timestamp) -> Outcome<()> {
        session.run(self.own.node_supersede, vec![node, now.into()]).await.map(drop)
    }

    fn sweep_texts(&self) -> Option<&SweepTexts> {
        None
    }

    fn announce(&self, _ring: Ring) {
        // Other processes see that the file changed.
    }

    async fn announce_inside(&self, _session: &mut dyn Session, _line: Line) -> Outcome<()> {
        Ok(())
    }

    fn hears_others(&self) -> bool {
        true
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn wal_bytes(&self) -> Option<u64> {
        Some(self.wal.bytes())
    }

    async fn time(&self) -> Outcome<Timestamp> {
        Ok(self.clock.now())
    }

    fn may_serve(&self) -> Result<()> {
        if self.lock().is_some() {
            return Ok(());
        }
        Err(StoreError::Address(
            "this process opened the SQLite file as a client: it can't be its node".into(),
        ))
    }

    async fn close(&self) {
        self.writer.close().await;
        self.readers.close().await;
        self.guest_readers.close().await;
        self.lock().take();
    }
}

//! PostgreSQL: any number of nodes, each statement whole by itself where it can be.

mod announcer;
mod backlog;
mod claim;
mod connect;
mod inspect;
mod listener;
mod migrate;
mod pool;
mod road;
mod session;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;

use self::announcer::Announcer;
use self::listener::Listener;
use self::road::Road;
use self::session::PgSession;
use super::batch::{Wire, texts as json_texts};
use super::claimed::{Ask, Taken};
use super::dialect::{Dialect, Outcome, Ring, Session, Settling, SweepTexts, Turns, Work};
use super::fault::Fault;
use super::statements::{Edit, Statements, statements, texts};
use super::value::{Row, Value};
use super::{Database, Foreign, OpenOptions, Result, StoreError};
use crate::job::{ActionId, Queue, Timestamp};
use crate::wake::{Bell, Line};

pub(super) use backlog::{create_database, drop_database, effort, fill, tidy};
pub(super) use inspect::{expected as expected_schema, found as found_schema};
pub(super) use migrate::{VERSIONS, applied, migrate};

/// The one channel of the schema, on which nodes ring.
const CHANNEL: &str = "flyball";
/// Who rings by a caller's transaction: nobody's own voice, since this process too hears of the commit that way alone.
const FOREIGN_VOICE: &str = "foreign";
/// No bound of ours on an answer to a caller's own connection.
const FOREIGN_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

statements! {
    /// What only PostgreSQL runs, because it takes other roads.
    Own { claim, claim_last_chance, notify, notify_idle, settle, time, }
}

/// The texts as they are shipped.
static TEXTS: LazyLock<(Statements, Own, SweepTexts)> = LazyLock::new(|| {
    let claim = include_str!("../sql/claim.postgres.sql");
    let own = Own {
        claim,
        claim_last_chance: String::leak(claim.replace("NOT j.last_chance", "j.last_chance")),
        notify: include_str!("../sql/notify.postgres.sql"),
        notify_idle: include_str!("../sql/notify_idle.postgres.sql"),
        settle: include_str!("../sql/settle.postgres.sql"),
        time: include_str!("../sql/time.postgres.sql"),
    };
    let sweep = SweepTexts {
        sweep_cut: include_str!("../sql/sweep_cut.postgres.sql"),
        sweep_dead: include_str!("../sql/sweep_dead.postgres.sql"),
        sweep_mark: include_str!("../sql/sweep_mark.postgres.sql"),
        sweep_overdue: include_str!("../sql/sweep_overdue.postgres.sql"),
        sweep_ready: include_str!("../sql/sweep_ready.postgres.sql"),
    };
    (
        texts!(
            "postgres",
            std::convert::identity,
            "FOR UPDATE OF j SKIP LOCKED\n",
            "WHERE j.id = ANY ($17) AND j.id < $1 AND j.id >= $2\n"
        ),
        own,
        sweep,
    )
});

/// Every statement by name, for tests.
pub(super) fn all_statements() -> Vec<(&'static str, &'static str)> {
    let (statements, own, sweep) = &*TEXTS;
    [statements.all(), own.all(), sweep.all()].concat()
}

/// A PostgreSQL database, opened.
pub(super) struct Postgres {
    statements: Statements,
    own: Own,
    sweep: SweepTexts,
    road: Road,
    /// Renewals have a connection of their own: no crowd of verbs delays them.
    lease_road: Road,
    /// What guests ask for has its own, too: however slow it is, no claim and no outcome waits for it.
    guest_road: Road,
    /// Deletions have one too, and time-outs of their own.
    prune_road: Road,
    announcer: Announcer,
    listener: Listener,
    sent: Arc<AtomicU64>,
    /// Tells this process's own rings from those of others.
    voice: Arc<str>,
}

impl Postgres {
    /// Opens the database; connections are made when they are needed.
    pub(super) async fn open(url: &str, options: &OpenOptions, edits: &[Edit], bell: Bell) -> Result<Self> {
        let (mut statements, mut own, mut sweep) = TEXTS.clone();
        for edit in edits {
            let text = statements.named(edit.statement);
            let text = text.or_else(|| own.named(edit.statement)).or_else(|| sweep.named(edit.statement));
            edit.apply(text.ok_or_else(|| StoreError::Schema(format!("no statement {}", edit.statement)))?)?;
        }
        let sent = Arc::new(AtomicU64::new(0));
        let target = connect::target(url)?;
        let road = connect::road(&target, options, &sent);
        let lease_road = connect::lease_road(&target, options, &sent);
        let guest_road = connect::guest_road(&target, &sent);
        let prune_road = connect::prune_road(&target, &sent);
        let voice: Arc<str> = ActionId::mint(options.clock.now()).to_string().into();
        let announcer = Announcer::start(road.clone(), own.notify, Arc::clone(&voice));
        let listener = Listener::start(target, road.clone(), own.notify, Arc::clone(&voice), bell);
        Ok(Self {
            statements,
            own,
            sweep,
            road,
            lease_road,
            guest_road,
            prune_road,
            announcer,
            listener,
            sent,
            voice,
        })
    }
}

#[async_trait]
impl Dialect for Postgres {
    const DATABASE: Database = Database::Postgres;
    const WIRE: Wire = Wire::Rfc3339;

    fn statements(&self) -> &Statements {
        &self.statements
    }

    async fn read(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        self.road.run(statement, values).await
    }

    async fn read_for_guest(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        self.guest_road.run(statement, values).await
    }

    async fn alone<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.road.alone(work).await
    }

    async fn transact<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.road.transact(work).await
    }

    async fn prune<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.prune_road.transact(work).await
    }

    async fn lease<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.lease_road.alone_in_time(work).await
    }

    fn foreign<'s>(&'s self, connection: Foreign<'s>) -> Result<Box<dyn Session + 's>> {
        match connection {
            Foreign::Postgres(connection) => Ok(Box::new(PgSession {
                connection,
                sent: Arc::clone(&self.sent),
                limit: FOREIGN_LIMIT,
                turns: Turns::new(),
            })),
            Foreign::Sqlite(_) => Err(StoreError::foreign(Self::DATABASE)),
        }
    }

    async fn announce_foreign(&self, session: &mut dyn Session, queues: &[&Queue]) -> Outcome<()> {
        let ring = announcer::payload(FOREIGN_VOICE, Line::Work);
        session.run(self.own.notify_idle, vec![json_texts(queues).into(), ring.into()]).await.map(drop)
    }

    async fn lease_transact<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        self.lease_road.transact_in_time(work).await
    }

    async fn claim(&self, ask: &Ask) -> Outcome<Taken> {
        claim::claim(self, ask).await
    }

    async fn settle(&self, session: &mut dyn Session, settling: &Settling) -> Outcome<Vec<Row>> {
        let Settling { batch, by, now } = settling;
        let values = vec![Arc::clone(batch).into(), (*now).into(), by.as_str().into()];
        session.run(self.own.settle, values).await
    }

    async fn supersede(&self, _session: &mut dyn Session, _node: Value, _now: Timestamp) -> Outcome<()> {
        // There may be any number of nodes.
        Ok(())
    }

    fn sweep_texts(&self) -> Option<&SweepTexts> {
        Some(&self.sweep)
    }

    fn announce(&self, ring: Ring) {
        self.announcer.announce(ring);
    }

    async fn announce_inside(&self, session: &mut dyn Session, line: Line) -> Outcome<()> {
        let ring = announcer::payload(&self.voice, line);
        session.run(self.own.notify, vec![json_texts([ring]).into()]).await.map(drop)
    }

    fn hears_others(&self) -> bool {
        self.listener.hears()
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn wal_bytes(&self) -> Option<u64> {
        None
    }

    async fn time(&self) -> Outcome<Timestamp> {
        let mut rows = self.road.run(self.own.time, Vec::new()).await?;
        let row = rows.first_mut().ok_or(Fault::Database(sqlx::Error::RowNotFound))?;
        Ok(row.time("now")?)
    }

    fn may_serve(&self) -> Result<()> {
        Ok(())
    }

    async fn close(&self) {
        self.listener.close().await;
        self.announcer.close().await;
        self.lease_road.close().await;
        self.guest_road.close().await;
        self.prune_road.close().await;
        self.road.close().await;
    }
}

//! A store of one's own, on either database, with a clock that stands still until it is moved.

use std::time::Duration;

use flyball::clock::Clock;
use flyball::event::Events;
use flyball::job::{
    ActionId, Barriers, Claim, Completion, ErrorClass, Evidence, Failure, InsertOpts, JobId, JobRecord,
    JobState, Json, Kind, LossPolicy, NewJob, NodeId, Operation, RetentionPolicy, RetryPolicy, RunId,
    RunRecord, Settlement, Timestamp, Verdict,
};
use flyball::store::probe::{self, Edit};
use flyball::store::{
    Answer, ClaimRequest, Classes, Comparison, Database, NewNode, Notes, OpenOptions, Order, Queues, Renewal,
    Role, SchemaMode, ServedKind, SharedStore, Sweep, Turn,
};
use flyball_tests::postgres;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// The lease of all nodes here.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// A store of one's own.
pub(crate) struct World {
    pub(crate) store: SharedStore,
    pub(crate) clock: Clock,
    /// What the store tells.
    pub(crate) events: Events,
    pub(crate) url: String,
    pub(crate) database: Database,
    edits: Vec<Edit>,
    _ground: Ground,
}

/// What goes away with the world.
enum Ground {
    Folder(#[expect(dead_code, reason = "kept until the test ends")] tempfile::TempDir),
    Server(#[expect(dead_code, reason = "kept until the test ends")] postgres::Database),
}

impl World {
    /// `None` where this database is not to be had.
    pub(crate) async fn new(database: Database) -> Option<Self> {
        Self::mutant(database, &[]).await
    }

    /// A world whose store has lost something.
    pub(crate) async fn mutant(database: Database, edits: &[Edit]) -> Option<Self> {
        let (url, ground) = match database {
            Database::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                (format!("sqlite:{}", folder.path().join("flyball.db").display()), Ground::Folder(folder))
            }
            Database::Postgres => {
                let database = postgres::database().await.expect("PostgreSQL")?;
                (database.url().to_string(), Ground::Server(database))
            }
        };
        let clock = Clock::manual(START);
        let options = options(&clock);
        let store = probe::open_mutant(&url, &options, edits).await;
        let store = store.unwrap_or_else(|error| panic!("the store opens: {error}"));
        Some(Self {
            store,
            clock,
            events: options.events,
            url,
            database,
            edits: edits.to_vec(),
            _ground: ground,
        })
    }

    /// Another process on the same database: on SQLite a client, since there is one node.
    pub(crate) async fn other(&self) -> SharedStore {
        self.other_with(|_| ()).await
    }

    /// Another process, with options of its own.
    pub(crate) async fn other_with(&self, change: impl FnOnce(&mut OpenOptions)) -> SharedStore {
        let role = match self.database {
            Database::Sqlite => Role::Client,
            Database::Postgres => Role::Serve { name: "other".into() },
        };
        let mut options = OpenOptions { role, ..options(&self.clock) };
        change(&mut options);
        let store = probe::open_mutant(&self.url, &options, &self.edits).await;
        store.expect("the store opens once more")
    }

    /// Another process some of whose statements say something else.
    pub(crate) async fn other_edited(&self, edits: &[Edit]) -> SharedStore {
        let edits = [&self.edits, edits].concat();
        let options = OpenOptions { role: Role::Client, ..options(&self.clock) };
        probe::open_mutant(&self.url, &options, &edits).await.expect("the store opens once more")
    }

    /// A statement of the store, as it runs here.
    pub(crate) fn statement(&self, name: &str) -> String {
        let all = probe::statements(self.database);
        let (_, text) = all.into_iter().find(|(known, _)| *known == name).expect("a statement");
        let edits = self.edits.iter().filter(|edit| edit.statement == name);
        edits.fold(text.to_owned(), |text, edit| text.replacen(edit.from, edit.to, 1))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A node that is entered.
    pub(crate) async fn node(&self) -> NodeId {
        let node = NodeId::mint(self.now());
        self.register(node).await;
        node
    }

    /// A node that is entered and keeps things for so long.
    pub(crate) async fn node_keeping(&self, policy: &RetentionPolicy) -> NodeId {
        let node = NewNode { retention: Some(policy.clone()), ..new_node(NodeId::mint(self.now())) };
        self.store.register(&node, &LossPolicy::default(), self.now()).await.expect("registered");
        node.id
    }

    pub(crate) async fn register(&self, node: NodeId) -> flyball::store::Registered {
        let node = new_node(node);
        self.store.register(&node, &LossPolicy::default(), self.now()).await.expect("registered")
    }

    /// A job as `change` wants it, not inserted yet.
    pub(crate) fn job(&self, change: impl FnOnce(&mut InsertOpts)) -> NewJob {
        let mut opts = InsertOpts::new(kind("work"), "{}");
        change(&mut opts);
        opts.admit(JobId::mint(self.now()), self.now()).expect("admitted")
    }

    /// So many plain jobs, inserted.
    pub(crate) async fn insert(&self, count: usize) -> Vec<JobId> {
        let jobs: Vec<_> = (0..count).map(|_| self.job(|_| ())).collect();
        self.store.insert(&jobs).await.expect("inserted");
        jobs.iter().map(|job| job.id).collect()
    }

    pub(crate) async fn insert_one(&self, change: impl FnOnce(&mut InsertOpts)) -> JobId {
        let job = self.job(change);
        self.store.insert(std::slice::from_ref(&job)).await.expect("inserted");
        job.id
    }

    /// Asks for so many jobs of the kind `work`, from everywhere.
    pub(crate) fn request(&self, node: NodeId, count: usize) -> ClaimRequest {
        ClaimRequest {
            node,
            runs: (0..count).map(|_| RunId::mint(self.now())).collect(),
            queues: Queues::Every,
            shares: Vec::new(),
            kinds: vec![served("work")],
            classes: Classes::Only(vec![Default::default()]),
            turn: Turn::Fresh,
        }
    }

    pub(crate) async fn claim(&self, node: NodeId, count: usize) -> Vec<Claim> {
        self.take(&self.request(node, count)).await
    }

    pub(crate) async fn take(&self, request: &ClaimRequest) -> Vec<Claim> {
        self.store.claim(request, self.now()).await.expect("claimed").claims
    }

    /// One job, inserted and claimed by a new node.
    pub(crate) async fn running(&self) -> (NodeId, Claim) {
        let node = self.node().await;
        self.insert(1).await;
        (node, self.claim(node, 1).await.pop().expect("one job"))
    }

    pub(crate) fn settle(&self, claim: Claim, verdict: Verdict) -> Settlement {
        claim.settle(verdict, Evidence::default(), &RetryPolicy::default(), self.now())
    }

    /// What became of one settlement.
    pub(crate) async fn finalize(&self, settlement: &Settlement) -> flyball::store::Settled {
        let batch = std::slice::from_ref(settlement);
        self.store.finalize(batch, self.now()).await.expect("finalized").pop().expect("one answer")
    }

    /// What became of a claim that ended like this.
    pub(crate) async fn end(&self, claim: Claim, verdict: Verdict) -> flyball::store::Settled {
        self.finalize(&self.settle(claim, verdict)).await
    }

    pub(crate) async fn read(&self, job: JobId) -> JobRecord {
        self.store.job(job).await.expect("read").expect("the job is there")
    }

    pub(crate) async fn state(&self, job: JobId) -> JobState {
        self.read(job).await.state
    }

    /// The newest run of a job.
    pub(crate) async fn run(&self, job: JobId) -> RunRecord {
        self.store.runs(job).await.expect("read").into_iter().next().expect("the job has a run")
    }

    /// A renewal of a node that holds these.
    pub(crate) fn renewal(&self, node: NodeId, held: &[RunId]) -> Renewal {
        Renewal {
            node,
            lease: LEASE,
            held: held.to_vec(),
            pending: Vec::new(),
            unwritten: Vec::new(),
            // Later than any that was minted at this time of the clock.
            watermark: RunId::mint(self.now().after(Duration::from_millis(1))),
            in_flight: 0,
            elapsed: LEASE / 3,
        }
    }

    /// Renews, and answers what node and database do not agree in.
    pub(crate) async fn compare(&self, renewal: &Renewal) -> Comparison {
        let renewed = self.store.renew(renewal, self.now()).await.expect("renewed");
        match renewed.notes {
            Notes::Compared(comparison) => comparison,
            Notes::Missing => panic!("notes were not compared"),
        }
    }

    /// Time passes, a third of a lease at a time, and these nodes renew; no others do.
    pub(crate) async fn live(&self, thirds: u32, nodes: &[(NodeId, &[RunId])]) {
        for _ in 0..thirds {
            self.clock.advance(LEASE / 3);
            for (node, held) in nodes {
                self.store.renew(&self.renewal(*node, held), self.now()).await.expect("renewed");
            }
        }
    }

    pub(crate) fn sweep(&self, node: NodeId) -> Sweep {
        let deadline_grace = Duration::from_secs(60);
        Sweep { node, lease: LEASE, losses: LossPolicy::default(), deadline_grace }
    }

    /// Runs SQL behind the store's back, written for PostgreSQL's schema.
    pub(crate) async fn sql(&self, sql: &str) {
        match self.database {
            Database::Sqlite => {
                let mut connection = self.sqlite().await;
                let sql = sql.replace("flyball.", "");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("SQL");
                connection.close().await.expect("closed");
            }
            Database::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.expect("connected");
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("SQL");
                connection.close().await.expect("closed");
            }
        }
    }

    /// A time as this database writes it.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        match self.database {
            Database::Sqlite => at.micros().to_string(),
            Database::Postgres => format!("'{at}'"),
        }
    }

    /// Puts jobs into a state behind the store's back.
    pub(crate) async fn put(&self, jobs: &[JobId], state: JobState) {
        let now = self.time(self.now());
        let node = NodeId::mint(self.now());
        let (node_id, token, deadline) = match state {
            JobState::Running => (format!("'{node}'"), format!("'{node}'"), now.clone()),
            _ => ("NULL".into(), "NULL".into(), "NULL".into()),
        };
        let finalized = if state.is_terminal() { now } else { "NULL".into() };
        let ids: Vec<_> = jobs.iter().map(|job| format!("'{job}'")).collect();
        let sql = format!(
            "UPDATE flyball.jobs SET state = '{state}', node_id = {node_id}, lease_token = {token}, deadline_at = \
             {deadline}, finalized_at = {finalized} WHERE id IN ({})",
            ids.join(", ")
        );
        self.sql(&sql).await;
    }

    /// A client in this process.
    pub(crate) fn client(&self) -> flyball::Client {
        flyball::Client::over(self.store.clone(), "tester")
    }

    pub(crate) async fn sqlite(&self) -> SqliteConnection {
        SqliteConnection::connect(&self.url).await.expect("opened")
    }
}

fn new_node(id: NodeId) -> NewNode {
    NewNode {
        id,
        name: "here".into(),
        pid: 1,
        version: "0.1.0".into(),
        concurrency: 8,
        serves: Json::empty_object(),
        lease: LEASE,
        retention: None,
    }
}

pub(crate) fn options(clock: &Clock) -> OpenOptions {
    OpenOptions {
        role: Role::Serve { name: "test".into() },
        schema: SchemaMode::Migrate,
        connections: 4,
        lease: LEASE,
        ..OpenOptions::new(clock.clone())
    }
}

pub(crate) fn kind(name: &str) -> Kind {
    Kind::new(name).expect("a kind")
}

pub(crate) fn served(name: &str) -> ServedKind {
    ServedKind { kind: kind(name), timeout: Duration::from_secs(60), digest: format!("digest of {name}") }
}

pub(crate) fn order(operation: Operation, now: Timestamp) -> Order {
    Order { action: ActionId::mint(now), who: "tester".into(), operation }
}

pub(crate) fn cancelling(now: Timestamp) -> Order {
    order(Operation::Cancel(Barriers::Drop), now)
}

pub(crate) fn retrying(now: Timestamp) -> Order {
    order(Operation::Retry, now)
}

/// What a job is answered for that a cancel or a retry moved.
pub(crate) const CANCELLED: Answer = Answer::Moved { state: JobState::Cancelled };
pub(crate) const AVAILABLE: Answer = Answer::Moved { state: JobState::Available };

/// What a job is answered for that was left alone.
pub(crate) const fn left(state: JobState) -> Answer {
    Answer::Left { state }
}

pub(crate) fn completed() -> Verdict {
    Verdict::Completed(Completion::default())
}

pub(crate) fn failed(class: ErrorClass) -> Verdict {
    Verdict::Failed(Failure::new(class, "no"))
}

/// Each promise, on both databases.
macro_rules! promises {
    ($($name:ident)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                let world = $crate::world::World::new(flyball::store::Database::Sqlite).await;
                super::$name(world.expect("SQLite is always there")).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(world) = $crate::world::World::new(flyball::store::Database::Postgres).await {
                    super::$name(world).await;
                }
            })+
        }
    };
}
pub(crate) use promises;

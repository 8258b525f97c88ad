//! Building a node into a program.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::checks::Check;
use super::observers::Observer;
use super::settings::{Guests, Plan, SettingsError, WorkPlan};
use super::{Node, NodeError, RunnerSettings};
use crate::client::Client;
use crate::clock::Clock;
use crate::config::{self, Maintenance, NodeConfig};
use crate::event::Event;
use crate::job::{Limit, RetentionPolicy};
use crate::plugin::{Ceilings, PluginsConfig};
use crate::quantity::Span;
use crate::runner::RunnerConfig;
use crate::sandbox::SandboxConfig;
use crate::service::{Service, ServiceError};
use crate::store::{self, Database, OpenOptions, Role, SchemaMode, SharedStore};
use crate::timing::Schedule;

/// A node that is being built: the whole host inside of another program.
///
/// ```no_run
/// # async fn host() -> Result<(), Box<dyn std::error::Error>> {
/// use flyball::app::{Node, RunnerSettings};
///
/// let node = Node::builder()
///     .database("sqlite:jobs.db")
///     .plugins("plugins")
///     .runner(RunnerSettings::new("mail").queue("mail").concurrency(4))
///     .runner(RunnerSettings::new("rest").queue("default").concurrency(8))
///     .start()
///     .await?;
/// let client = node.client("my program");
/// let stopper = node.stopper();
/// let stopped = node.run().await;
/// # Ok(())
/// # }
/// ```
///
/// It needs a database, and a plugins folder unless it is for maintenance only. All else is as with `flyball serve` where
/// nothing is said, but that it listens nowhere and reads neither a configuration file nor the environment, save for
/// where the user's cache folder is. Settings that make no sense together are refused when it is started.
#[derive(Default)]
pub struct NodeBuilder {
    url: Option<String>,
    store: Option<SharedStore>,
    clock: Option<Clock>,
    schema: Option<SchemaMode>,
    lease: Option<Duration>,
    name: Option<String>,
    poll_interval: Option<Duration>,
    drain_timeout: Option<Duration>,
    stop_grace: Option<Duration>,
    max_crashes: Option<u32>,
    plugins: Option<PathBuf>,
    cache: Option<Option<PathBuf>>,
    ceilings: Option<Ceilings>,
    guest_memory: Option<u64>,
    runners: Vec<RunnerSettings>,
    works_only: bool,
    maintains_only: bool,
    schedules: Option<Vec<Schedule>>,
    limits: Option<Vec<Limit>>,
    retention: Option<RetentionPolicy>,
    listen: Option<SocketAddr>,
    guests: Guests,
}

/// Where jobs are kept, and what time it is there.
impl NodeBuilder {
    /// Opens this database: `sqlite:FILE` or `postgres://…`. A SQLite file is made and brought up to date by that; a
    /// PostgreSQL database is left as it is unless [`NodeBuilder::migrate`] says otherwise.
    #[must_use]
    pub fn database(self, url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..self }
    }

    /// Takes a store that is open, with its clock, its lease and those it tells of what happens. It must have been opened
    /// with [`Role::Serve`], and is closed when the node has stopped.
    #[must_use]
    pub fn store(self, store: SharedStore) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Brings the schema of the database up to date before anything else.
    #[must_use]
    pub fn migrate(self) -> Self {
        Self { schema: Some(SchemaMode::Migrate), ..self }
    }

    /// Goes by this clock: a test's, which stands still until it is moved.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock: Some(clock), ..self }
    }
}

/// What it runs.
impl NodeBuilder {
    /// Runs the workers of this folder, and follows its changes.
    #[must_use]
    pub fn plugins(self, folder: impl Into<PathBuf>) -> Self {
        Self { plugins: Some(folder.into()), ..self }
    }

    /// Keeps compiled code in this folder, to which only this program's user may write; `None` keeps none.
    #[must_use]
    pub fn cache(self, folder: Option<PathBuf>) -> Self {
        Self { cache: Some(folder), ..self }
    }

    /// Lets no worker, manifest or job get past these.
    #[must_use]
    pub fn ceilings(self, ceilings: Ceilings) -> Self {
        Self { ceilings: Some(ceilings), ..self }
    }

    /// Gives all attempts together so many bytes of memory; half of the machine's, if nothing is said.
    #[must_use]
    pub fn guest_memory(self, bytes: u64) -> Self {
        Self { guest_memory: Some(bytes), ..self }
    }

    /// Adds a runner. Without one there is one that takes from every queue.
    #[must_use]
    pub fn runner(mut self, runner: RunnerSettings) -> Self {
        self.runners.push(runner);
        self
    }

    /// Runs jobs and makes due ones available, and leaves to other nodes what one at a time does for all: finding lost
    /// nodes, schedules, deleting what is old.
    #[must_use]
    pub fn worker_only(self) -> Self {
        Self { works_only: true, ..self }
    }

    /// Runs no job, and starts no sandbox: makes due jobs available, finds lost nodes, fires schedules, deletes what is
    /// old.
    #[must_use]
    pub fn maintenance_only(self) -> Self {
        Self { maintains_only: true, ..self }
    }
}

/// How it behaves.
impl NodeBuilder {
    /// What operators know it by; the name of the machine, if nothing is said.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// How long others wait before they take it for lost, on PostgreSQL; 15 s, if nothing is said.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// How often it looks for work that nobody told it of; 1 s, if nothing is said.
    #[must_use]
    pub fn poll_interval(self, interval: Duration) -> Self {
        Self { poll_interval: Some(interval), ..self }
    }

    /// How long attempts may finish when it is told to stop; 30 s, if nothing is said.
    #[must_use]
    pub fn drain_timeout(self, timeout: Duration) -> Self {
        Self { drain_timeout: Some(timeout), ..self }
    }

    /// How long an attempt that is asked to stop has before it is stopped; 200 ms, if nothing is said.
    #[must_use]
    pub fn stop_grace(self, grace: Duration) -> Self {
        Self { stop_grace: Some(grace), ..self }
    }

    /// After how many losses of its node in a row a job is discarded; 3, if nothing is said.
    #[must_use]
    pub fn max_crashes(self, losses: u32) -> Self {
        Self { max_crashes: Some(losses), ..self }
    }

    /// Answers `/healthz` and `/readyz` at this address; nowhere, if nothing is said.
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> Self {
        Self { listen: Some(address), ..self }
    }

    /// Keeps these schedules as those of its configuration: one that was there before and is not any more is taken out
    /// of service. Those that were added by a client or a command are left alone.
    #[must_use]
    pub fn schedules(self, schedules: Vec<Schedule>) -> Self {
        Self { schedules: Some(schedules), ..self }
    }

    /// Keeps these limits as those of its configuration: one that was there before and is not any more is removed. Those
    /// that were set by a client or a command are left alone.
    #[must_use]
    pub fn limits(self, limits: Vec<Limit>) -> Self {
        Self { limits: Some(limits), ..self }
    }

    /// Keeps what has ended for so long.
    #[must_use]
    pub fn retention(self, retention: RetentionPolicy) -> Self {
        Self { retention: Some(retention), ..self }
    }
}

/// What the program brings along.
impl NodeBuilder {
    /// Is ready only while this check says so. It is asked once a second and has 5 s to answer; until its first answer
    /// the node is not ready. It must not block its thread. [`Node::readiness`] and `/readyz` tell which check fails.
    #[must_use]
    pub fn ready_when<F, E>(
        mut self,
        name: &'static str,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ServiceError>,
    {
        self.guests.checks.push(Check::new(name, check));
        self
    }

    /// Runs a service of the program's own beside those of the node, supervised like them. It is told to stop when the
    /// node begins to drain, and has until 5 s after everything else is done.
    #[must_use]
    pub fn service(mut self, make: impl FnOnce(Client) -> Service + Send + 'static) -> Self {
        self.guests.services.push(Box::new(make));
        self
    }

    /// Calls this for every event, in line with what happened: it must be quick and not block.
    #[must_use]
    pub fn on_event(mut self, recorder: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.guests.recorders.push(Box::new(recorder));
        self
    }

    /// Hands events to an observer at its own pace, from a queue of so many. When that is full, events are dropped for
    /// this observer, and the log says how many.
    #[must_use]
    pub fn observer<F>(
        mut self,
        name: &'static str,
        capacity: usize,
        hear: impl Fn(Event) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.guests.observers.push(Observer::new(name, capacity, hear));
        self
    }
}

/// Starting it.
impl NodeBuilder {
    /// Opens the database and starts the node.
    ///
    /// # Errors
    /// [`NodeError::Settings`] says which setting can't be or makes no sense beside another; then nothing was opened. The
    /// other errors are those of opening and starting; nothing is left running then.
    pub async fn start(mut self) -> Result<Node, NodeError> {
        self.check()?;
        let node = self.node()?;
        let work = self.work(&node)?;
        let store = match self.store.take() {
            Some(store) => store,
            None => self.open(&node).await?,
        };
        let Self { schedules, limits, listen, guests, .. } = self;
        let retention = self.retention.unwrap_or_default();
        Node::carry_out(Plan { node, work, schedules, limits, retention, listen, guests }, store).await
    }

    async fn open(&self, node: &NodeConfig) -> Result<SharedStore, NodeError> {
        let url = self.url.as_deref().unwrap_or_default();
        let (clock, schema) = match store::database_of(url)? {
            Database::Sqlite => (Clock::system(), SchemaMode::Migrate),
            Database::Postgres => (Clock::anchored(), SchemaMode::Check),
        };
        let options = OpenOptions {
            role: Role::Serve { name: node.name.clone() },
            schema: self.schema.unwrap_or(schema),
            lease: node.lease,
            ..OpenOptions::new(self.clock.clone().unwrap_or(clock))
        };
        Ok(store::open(url, &options).await?)
    }

    /// Whether what was said goes together.
    fn check(&self) -> Result<(), SettingsError> {
        let set = |setting: &'static str, there: bool, problem: &'static str| {
            if there { Err(SettingsError::new(setting, problem)) } else { Ok(()) }
        };
        let (url, open) = (self.url.is_some(), self.store.is_some());
        set("database", !url && !open, "none is named: say where jobs are kept, or give an open store")?;
        set("database", url && open, "it is named, and an open store is given too: one of them")?;
        set("clock", open && self.clock.is_some(), "an open store has its own: open it with this one")?;
        set(
            "migrate",
            open && self.schema.is_some(),
            "an open store is as it is: open it with `SchemaMode::Migrate`",
        )?;
        let leases = self.lease.zip(self.store.as_ref().map(|store| store.options().lease));
        set(
            "lease",
            leases.is_some_and(|(told, open)| told != open),
            "the open store was opened for another",
        )?;
        let both = self.works_only && self.maintains_only;
        set("maintenance_only", both, "and worker_only: such a node would do nothing")?;
        let idle = self.works_only;
        set(
            "schedules",
            idle && self.schedules.is_some(),
            "a node that only works fires none: leave them to the others",
        )?;
        set(
            "retention",
            idle && self.retention.is_some(),
            "a node that only works deletes nothing: leave it to the others",
        )?;
        let none = self.maintains_only;
        set("runner", none && !self.runners.is_empty(), "a node for maintenance only has none")?;
        set(
            "plugins",
            none && self.plugins.is_some(),
            "a node for maintenance only runs nothing: leave the folder out",
        )?;
        let sandbox = self.cache.is_some() || self.ceilings.is_some() || self.guest_memory.is_some();
        set(
            "sandbox",
            none && sandbox,
            "a node for maintenance only starts none: leave cache, ceilings and guest memory out",
        )?;
        set(
            "plugins",
            !none && self.plugins.is_none(),
            "no folder is named: say where the workers are, or run maintenance only",
        )
    }

    fn node(&self) -> Result<NodeConfig, SettingsError> {
        let host = NodeConfig::default();
        let hour = Duration::from_secs(3600);
        let within = |setting, told: Option<Duration>, host, least| {
            let span = told.unwrap_or(host);
            if (least..=hour).contains(&span) {
                return Ok(span);
            }
            let problem = format!("{}: must be {} to {}", Span(span), Span(least), Span(hour));
            Err(SettingsError::new(setting, problem))
        };
        let (second, tick) = (Duration::from_secs(1), Duration::from_millis(10));
        let lease = self.lease.or_else(|| self.store.as_ref().map(|store| store.options().lease));
        let mut node = NodeConfig {
            name: self.name.clone().unwrap_or(host.name),
            lease: within("lease", lease, host.lease, second)?,
            poll_interval: within("poll_interval", self.poll_interval, host.poll_interval, tick)?,
            drain_timeout: within("drain_timeout", self.drain_timeout, host.drain_timeout, Duration::ZERO)?,
            stop_grace: within("stop_grace", self.stop_grace, host.stop_grace, Duration::ZERO)?,
            maintenance: if self.works_only { Maintenance::Never } else { Maintenance::Shared },
            ..host
        };
        node.losses.max_crashes = self.max_crashes.unwrap_or(node.losses.max_crashes);
        if node.losses.max_crashes == 0 {
            return Err(SettingsError::new("max_crashes", "0: at least one loss"));
        }
        if node.name.is_empty() || node.name.len() > 255 || node.name.chars().any(char::is_control) {
            return Err(SettingsError::new("name", "must be 1 to 255 bytes without control characters"));
        }
        Ok(node)
    }

    fn work(&self, node: &NodeConfig) -> Result<Option<WorkPlan>, SettingsError> {
        let Some(folder) = self.plugins.clone() else { return Ok(None) };
        let runners = self.runner_configs(node)?;
        let host = SandboxConfig::default();
        let guest_memory = self.guest_memory.unwrap_or(host.guest_memory);
        if guest_memory < config::LEAST_GUEST_MEMORY.0 {
            let least = config::LEAST_GUEST_MEMORY;
            return Err(SettingsError::new(
                "guest_memory",
                format!("too little for any worker: at least {least}"),
            ));
        }
        let ceilings = self.ceilings.unwrap_or_default();
        let sandbox = SandboxConfig {
            slots: runners.iter().map(|runner| runner.concurrency).sum(),
            guest_memory,
            max_memory_bytes: ceilings.memory_bytes.min(guest_memory),
            stop_grace: node.stop_grace,
            ..host
        };
        let cache = self.cache.clone().unwrap_or_else(config::cache_folder);
        Ok(Some(WorkPlan { sandbox, plugins: PluginsConfig { folder, cache, ceilings }, runners }))
    }

    fn runner_configs(&self, node: &NodeConfig) -> Result<Vec<RunnerConfig>, SettingsError> {
        let one = [RunnerSettings::new("default")];
        let told = if self.runners.is_empty() { &one } else { self.runners.as_slice() };
        for (number, runner) in told.iter().enumerate() {
            if told[..number].iter().any(|other| other.name == runner.name) {
                return Err(SettingsError::new("runner", format!("two are called {:?}", runner.name)));
            }
        }
        let runners: Vec<RunnerConfig> = told
            .iter()
            .map(|runner| runner.clone().config(node.concurrency, node.poll_interval))
            .collect::<Result<_, _>>()?;
        let slots = runners.iter().try_fold(0_u32, |slots, runner| slots.checked_add(runner.concurrency));
        match slots {
            Some(slots) if slots <= config::MOST_CONCURRENCY => Ok(runners),
            Some(_) | None => {
                let most = config::MOST_CONCURRENCY;
                Err(SettingsError::new("concurrency", format!("at most {most} over all runners")))
            }
        }
    }
}

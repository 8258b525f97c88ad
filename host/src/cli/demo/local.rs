//! A node in this process, for commands that show or measure one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::task::JoinHandle;

use crate::app::{Node, NodeSettings, Stopped, Stopper};
use crate::client::Client;
use crate::clock::Clock;
use crate::config::{Config, Maintenance, NodeConfig};
use crate::event::Events;
use crate::job::{Kind, RetentionPolicy};
use crate::plugin::{PluginState, Plugins, PluginsConfig};
use crate::sandbox::SandboxConfig;
use crate::store::{self, Classes, Database, OpenOptions, Role, SchemaMode, SharedStore};

/// A worker that is not in service after so long is not waited for any more.
const LOADS_WITHIN: Duration = Duration::from_secs(180);

/// A database that is open for a node that may be started on it.
pub(in crate::cli) struct Ground {
    pub(in crate::cli) client: Client,
    pub(in crate::cli) clock: Clock,
    pub(in crate::cli) events: Events,
    pub(in crate::cli) store: SharedStore,
    config: Config,
    name: &'static str,
}

/// A node that runs.
pub(in crate::cli) struct Local {
    plugins: Plugins,
    stopper: Stopper,
    running: JoinHandle<Stopped>,
}

impl Ground {
    /// Opens the database for a node, and brings its schema up to date. All but the database is as configured.
    pub(in crate::cli) async fn open(url: &str, name: &'static str, config: Config) -> anyhow::Result<Self> {
        let clock = match store::database_of(url)? {
            Database::Sqlite => Clock::system(),
            Database::Postgres => Clock::anchored(),
        };
        let options = OpenOptions {
            role: Role::Serve { name: name.into() },
            schema: SchemaMode::Migrate,
            lease: config.node.lease,
            synchronous: config.synchronous,
            ..OpenOptions::new(clock.clone())
        };
        let store = store::open(url, &options).await?;
        clock.anchor(store.time().await?, clock.boot());
        let client = Client::over(store.clone(), name);
        let events = options.events;
        Ok(Self { client, clock, events, store, config, name })
    }

    /// Keeps what has ended for so long, whatever is configured.
    pub(in crate::cli) fn retain(&mut self, retention: RetentionPolicy) {
        self.config.retention = retention;
    }

    /// How many attempts a node runs at once, if nothing else is said.
    pub(in crate::cli) fn concurrency(&self) -> u32 {
        self.config.node.concurrency
    }

    /// Starts a node that runs so many attempts at once, and waits until it serves the kinds of a plugins folder.
    pub(in crate::cli) async fn start(
        &self,
        plugins: PathBuf,
        concurrency: u32,
        kinds: &[Kind],
    ) -> anyhow::Result<Local> {
        let settings = self.settings(plugins, concurrency);
        let node = Node::start(settings, self.store.clone()).await?;
        let local = Local {
            plugins: node.plugins().cloned().context("a node without plugins")?,
            stopper: node.stopper(),
            running: tokio::spawn(node.run()),
        };
        match local.serves(kinds, &self.clock).await {
            Ok(()) => Ok(local),
            Err(error) => {
                local.stop().await?;
                Err(error)
            }
        }
    }

    /// As configured, but for every queue and class: what is shown or measured must not depend on them.
    fn settings(&self, plugins: PathBuf, concurrency: u32) -> NodeSettings {
        let Config { node, sandbox, plugins: configured, .. } = self.config.clone();
        let node = NodeConfig {
            name: self.name.into(),
            concurrency,
            queues: Vec::new(),
            classes: Classes::Every,
            maintenance: Maintenance::Shared,
            ..node
        };
        let sandbox = SandboxConfig { slots: concurrency, ..sandbox };
        NodeSettings {
            node,
            sandbox,
            plugins: PluginsConfig { folder: plugins, ..configured },
            // What is enqueued by the clock has no place in what is shown or measured.
            schedules: None,
            limits: None,
            retention: self.config.retention.clone(),
            listen: None,
        }
    }
}

impl Local {
    /// Drains the node; the database is closed with it.
    pub(in crate::cli) async fn stop(self) -> anyhow::Result<Stopped> {
        self.stopper.drain();
        self.running.await.context("stopping the node")
    }

    async fn serves(&self, kinds: &[Kind], clock: &Clock) -> anyhow::Result<()> {
        let mut catalog = self.plugins.catalog();
        let mut statuses = self.plugins.watch_statuses();
        let give_up = clock.boot().after(LOADS_WITHIN);
        loop {
            let missing = kinds.iter().find(|kind| catalog.borrow_and_update().get(kind).is_none());
            let Some(missing) = missing else { return Ok(()) };
            for status in statuses.borrow_and_update().iter() {
                let reason = status.reason.as_deref().unwrap_or("no reason was given");
                if status.state == PluginState::Refused
                    && status.kind.as_ref().is_some_and(|kind| kinds.contains(kind))
                {
                    bail!("{} was refused: {reason}", status.file);
                }
            }
            tokio::select! {
                _ = catalog.changed() => {}
                _ = statuses.changed() => {}
                () = clock.sleep_until(give_up) => bail!("there is no worker for the kind {missing} in the plugins folder"),
            }
        }
    }
}

/// Works to the end, or until Ctrl-C: then what is under way is dropped, and the caller cleans up.
pub(in crate::cli) async fn unless_interrupted<T>(
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    tokio::select! {
        done = work => done,
        heard = tokio::signal::ctrl_c() => {
            heard.context("listening for Ctrl-C")?;
            bail!("interrupted")
        }
    }
}

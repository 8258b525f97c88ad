//! The plugins of a node: what is in the folder, what is in service, and the service that keeps the two together.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio_util::sync::CancellationToken;

use super::cache::Cache;
use super::compile::{Compile, InProcess};
use super::desk::{Again, Desk, LOOKS_APART, LoadEnd, Task, Timely};
use super::folder::{Pair, look};
use super::loader::{Loader, PANICKED, Request, Unloaded};
use super::terms::Bounds;
use super::watcher::FolderWatch;
use super::{Catalog, Ceilings, Plugin, PluginStatus};
use crate::clock::Clock;
use crate::event::{Event, Events};
use crate::job::Kind;
use crate::sandbox::Sandbox;

/// How often the folder is looked at where the system wakes us when it changes, and where it does not.
const LOOKS_WITH_WAKES: Duration = Duration::from_secs(2);
const LOOKS_WITHOUT_WAKES: Duration = Duration::from_millis(500);
/// Wakes that come closer together count as one.
const WAKES_APART: Duration = Duration::from_millis(20);
/// A node that was too full to try a worker tries it again.
const FULL_FOR: Duration = Duration::from_secs(1);
/// A file that is still being written when everything is to be loaded once is waited for this long.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// Where plugins come from and what bounds them.
#[derive(Clone, Debug)]
pub struct PluginsConfig {
    /// The folder that is watched. It may be missing, and may come and go.
    pub folder: PathBuf,
    /// Where compiled code is kept; nowhere, if there is none.
    pub cache: Option<PathBuf>,
    /// What no manifest, worker or job gets past.
    pub ceilings: Ceilings,
}

/// The plugins of a node. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Plugins(Arc<Shared>);

struct Shared {
    folder: PathBuf,
    loader: Loader,
    clock: Clock,
    events: Events,
    catalog: watch::Sender<Arc<Catalog>>,
    desk: Mutex<Desk>,
    statuses: watch::Sender<Vec<PluginStatus>>,
    /// Everything in the folder was taken or refused.
    settled: watch::Sender<bool>,
}

/// A load that ended.
struct Ended {
    kind: Kind,
    pair: Pair,
    loaded: Result<Plugin, Unloaded>,
    took: Duration,
}

impl Plugins {
    /// With nothing in service yet: that takes [`Plugins::run`] or [`Plugins::load_all_once`].
    pub fn open(config: PluginsConfig, sandbox: Sandbox, clock: Clock, events: Events) -> Self {
        let compiler = Arc::new(InProcess(sandbox.clone()));
        Self::with_compiler(config, sandbox, clock, events, compiler)
    }

    /// As [`Plugins::open`], but components are compiled by somebody else than this process.
    pub fn with_compiler(
        config: PluginsConfig,
        sandbox: Sandbox,
        clock: Clock,
        events: Events,
        compiler: Arc<dyn Compile>,
    ) -> Self {
        let bounds = Bounds { ceilings: config.ceilings, guest_memory: sandbox.guest_memory_limit() };
        let cache = Arc::new(Cache::open(config.cache.as_deref(), &sandbox.compatibility()));
        Self(Arc::new(Shared {
            folder: config.folder,
            loader: Loader::new(sandbox, compiler, cache, bounds),
            clock,
            events,
            catalog: watch::Sender::new(Arc::default()),
            desk: Mutex::default(),
            statuses: watch::Sender::new(Vec::new()),
            settled: watch::Sender::new(false),
        }))
    }

    /// What is in service, now and whenever it changes.
    pub fn catalog(&self) -> watch::Receiver<Arc<Catalog>> {
        self.0.catalog.subscribe()
    }

    /// How every file of the folder stands, by name.
    pub fn statuses(&self) -> Vec<PluginStatus> {
        self.0.statuses.borrow().clone()
    }

    /// How every file of the folder stands, now and whenever that changes.
    pub fn watch_statuses(&self) -> watch::Receiver<Vec<PluginStatus>> {
        self.0.statuses.subscribe()
    }

    /// Whether everything in the folder was taken or refused, now and whenever that changes.
    pub fn settled(&self) -> watch::Receiver<bool> {
        self.0.settled.subscribe()
    }

    /// Keeps what is in service the same as what is in the folder, until the token is cancelled.
    pub async fn run(&self, token: CancellationToken) {
        self.desk().forget_loads();
        let mut watch = FolderWatch::new();
        let mut loads = JoinSet::new();
        loop {
            watch.follow(&self.0.folder);
            self.look(&mut loads).await;
            self.0.settled.send_replace(loads.is_empty() && !self.desk().is_settling());
            let pause = match (self.desk().is_settling(), watch.is_live()) {
                (true, _) => LOOKS_APART,
                (false, true) => LOOKS_WITH_WAKES,
                (false, false) => LOOKS_WITHOUT_WAKES,
            };
            tokio::select! {
                () = token.cancelled() => return,
                () = self.0.clock.sleep(pause) => {}
                () = watch.changed() => self.0.clock.sleep(WAKES_APART).await,
                Some(ended) = loads.join_next() => self.end(ended.ok()),
            }
        }
    }

    /// Takes what is in the folder now, and returns when every file was taken or refused, or would not stop changing.
    pub async fn load_all_once(&self) {
        let begun = self.0.clock.boot();
        let mut loads = JoinSet::new();
        loop {
            self.look(&mut loads).await;
            let settling = self.desk().is_settling() && self.0.clock.boot().since(begun) < SETTLES_WITHIN;
            if !settling && loads.is_empty() {
                return;
            }
            tokio::select! {
                () = self.0.clock.sleep(LOOKS_APART) => {}
                Some(ended) = loads.join_next() => self.end(ended.ok()),
            }
        }
    }

    pub(super) fn loader(&self) -> &Loader {
        &self.0.loader
    }

    /// Looks at the folder once, and begins what is to be done about it.
    async fn look(&self, loads: &mut JoinSet<Ended>) {
        let folder = self.0.folder.clone();
        let found = spawn_blocking(move || look(&folder)).await;
        let found = found.unwrap_or_else(|panic| Err(std::io::Error::other(panic)));
        self.retry_released();
        let tasks = match found {
            Ok(found) => self.desk().look(found, self.0.clock.boot()),
            // What serves goes on: a folder that can't be read is not an empty one.
            Err(error) => {
                let folder = self.0.folder.display();
                self.desk().trouble(folder.to_string(), format!("looking into {folder} failed: {error}"));
                Vec::new()
            }
        };
        self.tell_strays();
        for task in tasks {
            self.begin(task, loads);
        }
        self.publish();
    }

    fn begin(&self, task: Task, loads: &mut JoinSet<Ended>) {
        match task {
            Task::Load(kind, pair) => {
                let old = self.0.catalog.borrow().get(&kind).cloned();
                let shared = self.0.clone();
                loads.spawn(async move { shared.load(kind, pair, old).await });
            }
            Task::Remove(kind) => {
                self.0.catalog.send_modify(|catalog| *catalog = Arc::new(catalog.without(&kind)));
                self.0.events.emit(&Event::PluginRemoved { kind });
            }
            Task::Refuse(kind, reason) => self.tell_refusal(kind, reason),
        }
    }

    /// Takes the end of a load into account; `None` if it panicked.
    fn end(&self, ended: Option<Ended>) {
        let Some(Ended { kind, pair, loaded, took }) = ended else {
            self.desk().forget_loads();
            return self.publish();
        };
        match loaded {
            Ok(plugin) => self.put(plugin, &pair, took),
            Err(unloaded) => self.refuse(kind, &pair, unloaded),
        }
        self.publish();
    }

    fn put(&self, plugin: Plugin, pair: &Pair, took: Duration) {
        let (kind, digest) = (plugin.kind().clone(), plugin.digest().to_owned());
        let timely = self.desk().end(&kind, pair, LoadEnd::Loaded(digest.clone()));
        if timely == Timely::No {
            return;
        }
        let plugin = Arc::new(plugin);
        self.0.catalog.send_modify(|catalog| *catalog = Arc::new(catalog.with(plugin)));
        self.0.events.emit(&Event::PluginLoaded { kind, digest, took });
    }

    fn refuse(&self, kind: Kind, pair: &Pair, unloaded: Unloaded) {
        let (reason, again) = match unloaded {
            Unloaded::Changed => {
                self.desk().end(&kind, pair, LoadEnd::Changed);
                return;
            }
            Unloaded::Refused(reason) => (reason, Again::Never),
            Unloaded::Full(reason) => (reason, Again::At(self.0.clock.boot().after(FULL_FOR))),
            Unloaded::Quarantined(digest, reason) => (reason, Again::Freed(digest)),
        };
        let timely = self.desk().end(&kind, pair, LoadEnd::Refused(reason.clone(), again));
        if timely == Timely::Yes {
            self.tell_refusal(kind, reason);
        }
    }

    fn tell_refusal(&self, kind: Kind, reason: String) {
        self.0.events.emit(&Event::PluginRefused { kind, reason });
    }

    fn tell_strays(&self) {
        let strays = self.desk().new_strays();
        for (file, reason) in strays {
            tracing::warn!(file, reason, "a file in the plugins folder can't be a plugin");
        }
    }

    /// Another process may have lifted a quarantine.
    fn retry_released(&self) {
        let quarantined = self.desk().quarantined();
        for (kind, digest) in quarantined {
            if self.0.loader.cache().quarantined(&digest).is_none() {
                self.desk().retry(&kind);
            }
        }
    }

    fn publish(&self) {
        let now = self.desk().statuses();
        self.0.statuses.send_if_modified(|statuses| {
            let changed = *statuses != now;
            *statuses = now;
            changed
        });
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    async fn load(&self, kind: Kind, pair: Pair, old: Option<Arc<Plugin>>) -> Ended {
        let begun = self.clock.boot();
        let request = Request { kind: kind.clone(), folder: self.folder.clone(), pair: pair.clone(), old };
        // A panic is a reason like any other, and not a load that is begun again and again.
        let loaded = AssertUnwindSafe(self.loader.load(request)).catch_unwind().await;
        let panicked = |_| Err(Unloaded::Refused(PANICKED.into()));
        let loaded = loaded.unwrap_or_else(panicked);
        Ended { kind, pair, loaded, took: self.clock.boot().since(begun) }
    }
}

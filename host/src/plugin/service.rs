//! The plugins of a node: what is in the folder, what is in service, and the service that keeps the two together.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Catalog, Ceilings, PluginStatus};
use crate::clock::Clock;
use crate::event::Events;
use crate::sandbox::Sandbox;

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
    config: PluginsConfig,
    sandbox: Sandbox,
    clock: Clock,
    events: Events,
    catalog: watch::Sender<Arc<Catalog>>,
    statuses: Mutex<Vec<PluginStatus>>,
}

impl Plugins {
    /// With nothing in service yet: that takes [`Plugins::run`] or [`Plugins::load_all_once`].
    pub fn open(config: PluginsConfig, sandbox: Sandbox, clock: Clock, events: Events) -> Self {
        let catalog = watch::Sender::new(Arc::default());
        Self(Arc::new(Shared { config, sandbox, clock, events, catalog, statuses: Mutex::default() }))
    }

    /// What is in service, now and whenever it changes.
    pub fn catalog(&self) -> watch::Receiver<Arc<Catalog>> {
        self.0.catalog.subscribe()
    }

    /// How every file of the folder stands, by name.
    pub fn statuses(&self) -> Vec<PluginStatus> {
        self.0.statuses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what is in service the same as what is in the folder, until the token is cancelled.
    pub async fn run(&self, token: CancellationToken) {
        token.cancelled().await;
    }

    /// Takes what is in the folder now, and returns when every file was taken or refused.
    pub async fn load_all_once(&self) {}
}

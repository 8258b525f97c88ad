//! A node: everything that one host process runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::NodeBuilder;
use super::checks::Checks;
use super::health::{Health, Stage};
use super::idle::Endings;
use super::observers;
use super::services::{self, Site};
use super::settings::{Guests, NodeSettings, Plan, SettingsError, WorkPlan};
use super::stop::{Stopped, Stopper};
use crate::client::Client;
use crate::clock::Clock;
use crate::event::{Event, Events};
use crate::http::{self, Readiness};
use crate::job::{Limit, Outcome};
use crate::plugin::Plugins;
use crate::runner::{Member, RunnerConfig, Runners};
use crate::sandbox::{Sandbox, StopCause};
use crate::service::{Report, Service, Supervisor};
use crate::store::{LimitsReconciled, Role, SharedStore, StoreError};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// What it was told makes no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The sandbox can't start.
    #[error(transparent)]
    Sandbox(#[from] crate::sandbox::SandboxError),
    /// The store can't be opened, or refuses the node.
    #[error("entering the node: {0}")]
    Store(#[from] StoreError),
    /// The address can't be listened on.
    #[error(transparent)]
    Listen(#[from] std::io::Error),
}

/// A host that has started: it takes work.
///
/// To be ended by [`Node::run`] or [`Node::run_until_idle`], which drain it. One that is dropped instead stops at once:
/// it claims no more and interrupts what runs, whose jobs are taken back as lost, on PostgreSQL when its lease has run
/// out, on SQLite when the next node opens the file. Nobody is charged for that but by the count of losses in a row.
pub struct Node {
    pub(super) supervisor: Supervisor,
    pub(super) member: Member,
    pub(super) work: Option<Work>,
    pub(super) store: SharedStore,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) stopper: Stopper,
    pub(super) released: Arc<AtomicU64>,
    pub(super) endings: Endings,
    pub(super) drain_timeout: Duration,
    pub(super) poll_interval: Duration,
    /// The names of the program's own services, and of those who hear events.
    pub(super) own: Vec<&'static str>,
    pub(super) observers: Vec<&'static str>,
    address: Option<SocketAddr>,
}

/// What a node runs jobs with.
pub(super) struct Work {
    pub(super) plugins: Plugins,
    pub(super) handle: Runners,
    pub(super) runners: Vec<RunnerConfig>,
}

impl Node {
    /// A node to be built into a program: see [`NodeBuilder`].
    pub fn builder() -> NodeBuilder {
        NodeBuilder::default()
    }

    /// Takes the address, starts the sandbox, registers, and starts every service, over a store that is open.
    ///
    /// # Errors
    /// [`NodeError`]: nothing is left running then.
    pub async fn start(settings: NodeSettings, store: SharedStore) -> Result<Self, NodeError> {
        Self::carry_out(settings.into(), store).await
    }

    pub(super) async fn carry_out(mut plan: Plan, store: SharedStore) -> Result<Self, NodeError> {
        check_role(&store)?;
        let Guests { checks, services, recorders, observers } = std::mem::take(&mut plan.guests);
        let own = services::of_program(services, &observers, &plan.node.name, &store)?;
        let (clock, events) = (store.options().clock.clone(), store.options().events.clone());
        let listener = match plan.listen {
            Some(address) => Some(http::bind(address).await?),
            None => None,
        };
        if let Some(limits) = &plan.limits {
            compare_limits(&store, limits, &clock).await?;
        }
        let ground = match &plan.work {
            Some(work) => Some(open_plugins(work, &clock, &events)?),
            None => None,
        };
        let (member, reclaimed) =
            Member::enter(plan.member(), store.clone(), clock.clone(), events.clone()).await?;
        let work = ground.zip(plan.work.as_ref()).map(|((sandbox, plugins), work)| Work {
            handle: Runners::new(&member, sandbox, plugins.catalog()),
            plugins,
            runners: work.runners.clone(),
        });
        recorders.into_iter().for_each(|recorder| observers::record(&events, recorder));
        let checks = Checks::new(checks);
        let mut node = Self {
            supervisor: supervisor(&clock, &events),
            member,
            work,
            store,
            clock,
            health: Health::new(checks.clone()),
            stopper: Stopper::default(),
            released: count_releases(&events),
            endings: Endings::of(&events),
            drain_timeout: plan.node.drain_timeout,
            poll_interval: plan.node.poll_interval,
            own: own.iter().map(Service::name).collect(),
            observers: observers.iter().map(|observer| observer.name).collect(),
            address: listener.as_ref().and_then(|listener| listener.local_addr().ok()),
        };
        let site = Site { settings: &plan.node, scheduler: plan.scheduler(), listener, checks, events };
        node.start_services(site, own, observers);
        node.member.tell_reclaimed(&reclaimed);
        node.health.enter(Stage::Serving);
        Ok(node)
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Its plugins, if it runs jobs.
    pub fn plugins(&self) -> Option<&Plugins> {
        self.work.as_ref().map(|work| &work.plugins)
    }

    /// A client over its store. `who` is kept with every change that this client orders.
    pub fn client(&self, who: &str) -> Client {
        Client::over(self.store.clone(), who)
    }

    /// Whether it takes work, and if not, why; what `/readyz` answers. Quick, and never waiting.
    pub fn readiness(&self) -> Readiness {
        self.health.readiness(&self.supervisor.reports()())
    }

    /// A handle that stops it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// A view of its services that outlives it.
    pub fn services(&self) -> impl Fn() -> Vec<Report> + Send + Sync + 'static {
        self.supervisor.reports()
    }

    /// Works until it is told to stop, then drains.
    pub async fn run(self) -> Stopped {
        let died = tokio::select! {
            () = self.stopper.drained() => None,
            name = self.supervisor.essential_died() => Some(name),
        };
        self.drain(died).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.member.ask_for_good(StopCause::Drain, Duration::ZERO);
        self.supervisor.tell_all();
    }
}

/// Before anything is claimed, so that none of the first jobs gets past a limit.
async fn compare_limits(store: &SharedStore, limits: &[Limit], clock: &Clock) -> Result<(), StoreError> {
    let LimitsReconciled { added, changed, removed, of_operators, rivals } =
        store.reconcile_limits(limits, clock.now()).await?;
    if !(added.is_empty() && changed.is_empty() && removed.is_empty()) {
        tracing::info!(?added, ?changed, ?removed, "the limits of the configuration are kept");
    }
    for limit in of_operators {
        tracing::warn!(%limit, "an operator has set a limit of this name: the one of the configuration is not kept");
    }
    for (limit, rival) in rivals {
        tracing::warn!(%limit, %rival, "another limit puts the same jobs into lines by key: this one is not kept");
    }
    Ok(())
}

fn supervisor(clock: &Clock, events: &Events) -> Supervisor {
    let told = events.clone();
    Supervisor::new(clock.clone(), move |service, reason: &str| {
        told.emit(&Event::ServiceRestarted { service, reason: reason.to_owned() });
    })
}

/// A second node on a SQLite file is kept out by the lock of the first, which only one that opens as a node takes.
fn check_role(store: &SharedStore) -> Result<(), SettingsError> {
    match &store.options().role {
        Role::Serve { .. } => Ok(()),
        Role::Client | Role::Onlooker => Err(SettingsError::new(
            "store",
            "it was opened as a client's; a node's is opened with `Role::Serve`",
        )),
    }
}

fn open_plugins(work: &WorkPlan, clock: &Clock, events: &Events) -> Result<(Sandbox, Plugins), NodeError> {
    let sandbox = Sandbox::start(work.sandbox.clone(), clock.clone())?;
    let plugins = Plugins::open(work.plugins.clone(), sandbox.clone(), clock.clone(), events.clone());
    Ok((sandbox, plugins))
}

/// Counts attempts that were given back, so that a drain knows whether work was interrupted.
fn count_releases(events: &Events) -> Arc<AtomicU64> {
    let released = Arc::new(AtomicU64::new(0));
    let count = released.clone();
    events.record(move |event| {
        if let Event::JobFinished(finished) = event
            && finished.outcome == Outcome::Released
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    released
}

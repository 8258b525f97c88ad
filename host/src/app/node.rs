//! A node: everything that one host process runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::health::{Health, Stage};
use super::settings::NodeSettings;
use super::stop::{Stopped, Stopper};
use crate::clock::Clock;
use crate::config::Maintenance;
use crate::event::{Event, Events};
use crate::http;
use crate::job::{Limit, Outcome};
use crate::plugin::Plugins;
use crate::runner::{self, Parts, Runner};
use crate::sandbox::Sandbox;
use crate::scheduler::Scheduler;
use crate::service::{Importance, Report, Service, ServiceError, Supervisor};
use crate::store::{Database, LimitsReconciled, SharedStore, StoreError};
use crate::telemetry;

/// Events that wait for the log; when it is full, the log misses some and says how many.
const LOG_QUEUE: usize = 4096;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The sandbox can't start.
    #[error(transparent)]
    Sandbox(#[from] crate::sandbox::SandboxError),
    /// The store refuses the node.
    #[error("registering the node: {0}")]
    Store(#[from] StoreError),
    /// The address can't be listened on.
    #[error(transparent)]
    Listen(#[from] std::io::Error),
}

/// A host that has started: it takes work.
pub struct Node {
    pub(super) supervisor: Supervisor,
    pub(super) runner: Runner,
    pub(super) store: SharedStore,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) stopper: Stopper,
    pub(super) released: Arc<AtomicU64>,
    pub(super) drain_timeout: Duration,
    address: Option<SocketAddr>,
    plugins: Plugins,
    events: Events,
}

impl Node {
    /// Takes the address, starts the sandbox, registers, and starts every service. `events` are those that the store was
    /// opened with.
    ///
    /// # Errors
    /// [`NodeError`]: nothing is left running then.
    pub async fn start(
        settings: NodeSettings,
        store: SharedStore,
        clock: Clock,
        events: Events,
    ) -> Result<Self, NodeError> {
        let listener = match settings.listen {
            Some(address) => Some(http::bind(address).await?),
            None => None,
        };
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let sandbox = Sandbox::start(settings.sandbox.clone(), clock.clone())?;
        let plugins = Plugins::open(settings.plugins.clone(), sandbox.clone(), clock.clone(), events.clone());
        if let Some(limits) = &settings.limits {
            compare_limits(&store, limits, &clock).await?;
        }
        let (lease, reclaimed) = runner::enter(&store, &settings.runner(), &clock).await?;
        let parts = Parts {
            store: store.clone(),
            sandbox,
            catalog: plugins.catalog(),
            clock: clock.clone(),
            events: events.clone(),
            lease,
        };
        let runner = Runner::new(settings.runner(), parts);
        let told = events.clone();
        let on_fall = move |service, reason: &str| {
            told.emit(&Event::ServiceRestarted { service, reason: reason.to_owned() });
        };
        let mut node = Self {
            supervisor: Supervisor::new(clock.clone(), on_fall),
            runner,
            store,
            clock,
            health: Health::new(),
            stopper: Stopper::default(),
            released: count_releases(&events),
            drain_timeout: settings.node.drain_timeout,
            address,
            plugins,
            events,
        };
        node.start_services(&settings, listener);
        node.runner.tell_reclaimed(&reclaimed);
        node.health.enter(Stage::Serving);
        Ok(node)
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Its plugins.
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
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

    fn start_services(&mut self, settings: &NodeSettings, listener: Option<TcpListener>) {
        use Importance::{Auxiliary, Essential};
        self.start_log();
        if let Some(listener) = listener {
            self.start_http(listener);
        }
        let runner = || self.runner.clone();
        let scheduler = self.scheduler(settings);
        let (health, store, clock) = (self.health.clone(), self.store.clone(), self.clock.clone());
        let plugins = self.plugins.clone();
        let mut services = vec![
            service("lease", Essential, runner(), Runner::keep_lease),
            service("finalizer", Essential, runner(), Runner::finalize_outcomes),
            service("claimer", Essential, runner(), Runner::claim_jobs),
            service("cancels", Auxiliary, runner(), Runner::watch_cancels),
            service("progress", Auxiliary, runner(), Runner::store_progress),
            service("checkpoints", Auxiliary, runner(), Runner::store_checkpoints),
            service("publisher", Auxiliary, runner(), Runner::publish_kinds),
            service("promoter", Auxiliary, scheduler.clone(), Scheduler::promote),
            Service::new("plugins", Auxiliary, move |token| {
                let plugins = plugins.clone();
                async move {
                    plugins.run(token).await;
                    Ok::<_, ServiceError>(())
                }
            }),
            Service::new("health", Auxiliary, move |token| {
                health.clone().watch(store.clone(), clock.clone(), token)
            }),
        ];
        if settings.node.maintenance == Maintenance::Shared {
            services.push(service("cron", Auxiliary, scheduler.clone(), Scheduler::fire_schedules));
            services.push(service("retention", Auxiliary, scheduler.clone(), Scheduler::retain));
            if self.store.database() == Database::Postgres {
                services.push(service("sweeper", Auxiliary, scheduler, Scheduler::sweep));
            }
        }
        if let Some(every) = settings.node.health_pulse {
            services.push(self.pulse(every));
        }
        for service in services {
            self.supervisor.start(service);
        }
    }

    fn pulse(&self, every: Duration) -> Service {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Service::new("pulse", Importance::Auxiliary, move |token| {
            telemetry::beat_pulse(store.clone(), clock.clone(), every, token)
        })
    }

    fn scheduler(&self, settings: &NodeSettings) -> Scheduler {
        let runner = self.runner.clone();
        let node = move || runner.lease().node();
        Scheduler::new(
            self.store.clone(),
            self.clock.clone(),
            self.events.clone(),
            settings.scheduler(),
            node,
        )
    }

    fn start_log(&mut self) {
        let consumer = Arc::new(Mutex::new(self.events.subscribe_to(telemetry::is_logged, LOG_QUEUE)));
        self.supervisor.start(Service::new("log", Importance::Auxiliary, move |token| {
            let consumer = consumer.clone();
            async move { telemetry::log_events(&mut *consumer.lock().await, &token).await }
        }));
    }

    fn start_http(&mut self, listener: TcpListener) {
        let listener = Arc::new(listener);
        let (health, reports) = (self.health.clone(), self.supervisor.reports());
        let view: http::ReadinessView = Arc::new(move || health.readiness(&reports()));
        self.supervisor.start(Service::new("http", Importance::Auxiliary, move |token| {
            let (listener, view) = (listener.clone(), view.clone());
            async move { http::serve(&listener, view, token).await }
        }));
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

fn service<T, F>(
    name: &'static str,
    importance: Importance,
    owner: T,
    run: impl Fn(T, tokio_util::sync::CancellationToken) -> F + Send + Sync + 'static,
) -> Service
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), ServiceError>> + Send + 'static,
{
    Service::new(name, importance, move |token| run(owner.clone(), token))
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

//! The services of a node: which there are, what they depend on, and how much the node depends on them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::checks::Checks;
use super::node::{Node, Work};
use super::observers::Observer;
use super::settings::{MakeService, SettingsError};
use crate::client::Client;
use crate::config::{Maintenance, NodeConfig};
use crate::event::Events;
use crate::http;
use crate::runner::{Member, Runners};
use crate::scheduler::{Scheduler, SchedulerConfig};
use crate::service::{Importance, Service, ServiceError};
use crate::store::{Database, SharedStore};
use crate::telemetry;

use Importance::{Auxiliary, Essential};

/// Events that wait for the log; when it is full, the log misses some and says how many.
const LOG_QUEUE: usize = 4096;

/// The names of the node's own services, which no other may have: they are stopped by name, in the one right order.
const NAMES: [&str; 17] = [
    "cancels",
    "checkpoints",
    "checks",
    "claimer",
    "cron",
    "finalizer",
    "health",
    "http",
    "lease",
    "log",
    "plugins",
    "progress",
    "promoter",
    "publisher",
    "pulse",
    "retention",
    "sweeper",
];

/// What the services are started with.
pub(super) struct Site<'s> {
    pub(super) settings: &'s NodeConfig,
    pub(super) scheduler: SchedulerConfig,
    pub(super) listener: Option<TcpListener>,
    pub(super) checks: Checks,
    pub(super) events: Events,
}

impl Node {
    pub(super) fn start_services(&mut self, site: Site<'_>, own: Vec<Service>, observers: Vec<Observer>) {
        let mut services = vec![log(&site.events)];
        services.extend(site.listener.map(|listener| self.http(listener)));
        services.extend(observers.into_iter().map(|observer| observer.into_service(&site.events)));
        services.push(service("lease", Essential, self.member.clone(), Member::keep_lease));
        services.extend(self.work.as_ref().map(|work| self.of_runners(work)).into_iter().flatten());
        services.push(self.health());
        if !site.checks.is_empty() {
            let clock = self.clock.clone();
            let watch = move |checks: Checks, token| checks.watch(clock.clone(), token);
            services.push(service("checks", Auxiliary, site.checks, watch));
        }
        services.extend(self.by_the_clock(site.settings, site.scheduler, &site.events));
        services.extend(site.settings.health_pulse.map(|every| self.pulse(every)));
        for service in services.into_iter().chain(own) {
            self.supervisor.start(service);
        }
    }

    fn of_runners(&self, work: &Work) -> Vec<Service> {
        let runners = || work.handle.clone();
        let plugins = work.plugins.clone();
        let mut services = vec![
            service("finalizer", Essential, runners(), Runners::finalize_outcomes),
            service("cancels", Auxiliary, self.member.clone(), Member::watch_cancels),
            service("progress", Auxiliary, runners(), Runners::store_progress),
            service("checkpoints", Auxiliary, runners(), Runners::store_checkpoints),
            service("publisher", Auxiliary, runners(), Runners::publish_kinds),
            Service::new("plugins", Auxiliary, move |token| {
                let plugins = plugins.clone();
                async move {
                    plugins.run(token).await;
                    Ok::<_, ServiceError>(())
                }
            }),
        ];
        let claimer = |number| {
            service("claimer", Essential, runners(), move |runners, token| runners.claim_jobs(number, token))
        };
        services.extend((0..work.runners.len()).map(claimer));
        services
    }

    /// What happens by the clock: every node promotes; the rest is done by one at a time of those that take part.
    fn by_the_clock(&self, settings: &NodeConfig, config: SchedulerConfig, events: &Events) -> Vec<Service> {
        let member = self.member.clone();
        let node = move || member.lease().node();
        let scheduler = Scheduler::new(self.store.clone(), self.clock.clone(), events.clone(), config, node);
        let mut services = vec![service("promoter", Auxiliary, scheduler.clone(), Scheduler::promote)];
        if settings.maintenance == Maintenance::Shared {
            services.push(service("cron", Auxiliary, scheduler.clone(), Scheduler::fire_schedules));
            services.push(service("retention", Auxiliary, scheduler.clone(), Scheduler::retain));
            if self.store.database() == Database::Postgres {
                services.push(service("sweeper", Auxiliary, scheduler, Scheduler::sweep));
            }
        }
        services
    }

    fn health(&self) -> Service {
        let (health, store, clock) = (self.health.clone(), self.store.clone(), self.clock.clone());
        Service::new("health", Auxiliary, move |token| {
            health.clone().watch(store.clone(), clock.clone(), token)
        })
    }

    fn pulse(&self, every: Duration) -> Service {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Service::new("pulse", Auxiliary, move |token| {
            telemetry::beat_pulse(store.clone(), clock.clone(), every, token)
        })
    }

    fn http(&self, listener: TcpListener) -> Service {
        let listener = Arc::new(listener);
        let (health, reports) = (self.health.clone(), self.supervisor.reports());
        let view: http::ReadinessView = Arc::new(move || health.readiness(&reports()));
        Service::new("http", Auxiliary, move |token| {
            let (listener, view) = (listener.clone(), view.clone());
            async move { http::serve(&listener, view, token).await }
        })
    }
}

/// Makes the services of the program that the node is part of, each under a name of its own.
pub(super) fn of_program(
    makes: Vec<MakeService>,
    observers: &[Observer],
    who: &str,
    store: &SharedStore,
) -> Result<Vec<Service>, SettingsError> {
    let services: Vec<Service> =
        makes.into_iter().map(|make| make(Client::over(store.clone(), who))).collect();
    let mut taken: BTreeSet<&str> = NAMES.into();
    let names = services.iter().map(Service::name).chain(observers.iter().map(|observer| observer.name));
    for name in names {
        if !taken.insert(name) {
            return Err(SettingsError::new(
                "service",
                format!("there is one with the name {name:?} already"),
            ));
        }
    }
    Ok(services)
}

fn log(events: &Events) -> Service {
    let consumer = Arc::new(Mutex::new(events.subscribe_to(telemetry::is_logged, LOG_QUEUE)));
    Service::new("log", Auxiliary, move |token| {
        let consumer = consumer.clone();
        async move { telemetry::log_events(&mut *consumer.lock().await, &token).await }
    })
}

fn service<T, F>(
    name: &'static str,
    importance: Importance,
    owner: T,
    run: impl Fn(T, CancellationToken) -> F + Send + Sync + 'static,
) -> Service
where
    T: Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), ServiceError>> + Send + 'static,
{
    Service::new(name, importance, move |token| run(owner.clone(), token))
}

//! Starts services, restarts those that fall, and knows which one took the node down.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Importance, Report, Service, Status};
use crate::clock::{Boot, Clock};
use crate::job::RunId;

/// The first restart waits this long; each further one twice as long.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// No restart waits longer.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// A service that ran this long has recovered: the next restart is quick again.
const RECOVERED_AFTER: Duration = Duration::from_secs(60);
/// An essential service that falls so often in a row is dead.
const ESSENTIAL_FALLS: u32 = 5;

/// Hears that a service fell, and why.
type FallHeard = Arc<dyn Fn(&'static str, &str) + Send + Sync>;

/// Watches over the services of one node.
pub struct Supervisor {
    clock: Clock,
    on_fall: FallHeard,
    reports: Arc<Mutex<Vec<Report>>>,
    running: Vec<(&'static str, CancellationToken, JoinHandle<()>)>,
    dead: watch::Sender<Option<&'static str>>,
}

impl Supervisor {
    /// Without services. `on_fall` hears the name of each service that fell, and why.
    pub fn new(clock: Clock, on_fall: impl Fn(&'static str, &str) + Send + Sync + 'static) -> Self {
        let on_fall = Arc::new(on_fall);
        Self { clock, on_fall, reports: Arc::default(), running: Vec::new(), dead: watch::Sender::new(None) }
    }

    /// Starts a service. Services are stopped in the order in which the node says, not in this one.
    pub fn start(&mut self, service: Service) {
        let token = CancellationToken::new();
        let index = {
            let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
            reports.push(Report::new(service.name, service.importance));
            reports.len() - 1
        };
        let name = service.name;
        let ward = Ward {
            service,
            index,
            token: token.clone(),
            clock: self.clock.clone(),
            on_fall: self.on_fall.clone(),
            reports: self.reports.clone(),
            dead: self.dead.clone(),
        };
        self.running.push((name, token, tokio::spawn(ward.watch())));
    }

    /// Tells the named services to stop, and waits for none of them.
    pub fn tell(&self, names: &[&str]) {
        for (_, token, _) in self.running.iter().filter(|(name, ..)| names.contains(name)) {
            token.cancel();
        }
    }

    /// Tells all services to stop, and waits for none of them.
    pub fn tell_all(&self) {
        for (_, token, _) in &self.running {
            token.cancel();
        }
    }

    /// Tells the named services to stop, and waits until they have.
    pub async fn stop(&mut self, names: &[&str]) {
        let (chosen, rest): (Vec<_>, Vec<_>) =
            self.running.drain(..).partition(|(name, ..)| names.contains(name));
        self.running = rest;
        for (_, token, _) in &chosen {
            token.cancel();
        }
        for (_, _, task) in chosen {
            // The watcher catches panics of the service and has none of its own.
            let _ = task.await;
        }
    }

    /// Tells all that are left to stop, and waits until they have.
    pub async fn stop_all(&mut self) {
        let names: Vec<_> = self.running.iter().map(|(name, ..)| *name).collect();
        self.stop(&names).await;
    }

    /// Waits until an essential service is dead, and names it.
    pub async fn essential_died(&self) -> &'static str {
        let mut dead = self.dead.subscribe();
        loop {
            if let Some(name) = *dead.borrow_and_update() {
                return name;
            }
            // The sender lives as long as `self`.
            let _ = dead.changed().await;
        }
    }

    /// A view of the reports that outlives the borrow.
    pub fn reports(&self) -> impl Fn() -> Vec<Report> + Send + Sync + 'static {
        let reports = self.reports.clone();
        move || reports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One service under watch.
struct Ward {
    service: Service,
    index: usize,
    token: CancellationToken,
    clock: Clock,
    on_fall: FallHeard,
    reports: Arc<Mutex<Vec<Report>>>,
    dead: watch::Sender<Option<&'static str>>,
}

impl Ward {
    async fn watch(self) {
        if self.token.run_until_cancelled(self.clock.sleep(self.service.deferred)).await.is_none() {
            return self.note(Status::Stopped, None);
        }
        let mut falls = 0;
        loop {
            let started = self.clock.boot();
            let Some(reason) = self.execute().await else { return self.note(Status::Stopped, None) };
            falls = if self.lasted(started) { 1 } else { falls + 1 };
            if self.service.importance == Importance::Essential && falls >= ESSENTIAL_FALLS {
                tracing::error!(service = self.service.name, reason, "an essential service is dead");
                self.note(Status::Dead, Some(reason));
                self.dead.send_replace(Some(self.service.name));
                return;
            }
            tracing::warn!(service = self.service.name, reason, "a service fell and is started again");
            (self.on_fall)(self.service.name, &reason);
            self.note(Status::Restarting, Some(reason));
            let delay = FIRST_DELAY.saturating_mul(1 << (falls - 1).min(16)).min(LONGEST_DELAY);
            if self.token.run_until_cancelled(self.clock.sleep(delay)).await.is_none() {
                return self.note(Status::Stopped, None);
            }
        }
    }

    /// Runs the service once; `None` if it ended because it was told to, else why it fell.
    async fn execute(&self) -> Option<String> {
        let execution_id = RunId::mint(self.clock.now());
        self.begin(execution_id);
        let span = tracing::info_span!("service", service = self.service.name, %execution_id);
        let execution = (self.service.run)(self.token.clone());
        let ended = AssertUnwindSafe(execution.instrument(span)).catch_unwind().await;
        match ended {
            _ if self.token.is_cancelled() => None,
            Ok(Ok(())) => Some("it returned without being told to".into()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(format!("it panicked: {}", panic_text(panic.as_ref()))),
        }
    }

    fn lasted(&self, started: Boot) -> bool {
        self.clock.boot().since(started) >= RECOVERED_AFTER
    }

    fn begin(&self, execution_id: RunId) {
        let now = self.clock.now();
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let report = &mut reports[self.index];
        report.executions += 1;
        report.execution_id = Some(execution_id);
        report.note(now, Status::Running, None);
    }

    fn note(&self, status: Status, reason: Option<String>) {
        let now = self.clock.now();
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)[self.index].note(now, status, reason);
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::job::Timestamp;

    async fn until(clock: &Clock, mut holds: impl FnMut() -> bool) {
        for _ in 0..10_000 {
            if holds() {
                return;
            }
            clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
        panic!("it never came to hold");
    }

    #[tokio::test]
    async fn a_service_that_panics_is_started_again_and_its_report_says_so() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let mut supervisor = Supervisor::new(clock.clone(), |_, _| ());
        let executions = Arc::new(AtomicU32::new(0));
        let count = executions.clone();
        supervisor.start(Service::new("frail", Importance::Auxiliary, move |token| {
            let nth = count.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(nth >= 7, "fall {nth}");
                token.cancelled().await;
                Ok::<_, ServiceError>(())
            }
        }));
        let reports = supervisor.reports();
        until(&clock, || reports()[0].executions == 8).await;
        let report = &reports()[0];
        assert_eq!(report.status, Status::Running);
        let reasons: Vec<_> = report.events.iter().filter_map(|event| event.reason.clone()).collect();
        assert_eq!(reasons[6], "it panicked: fall 6");
        supervisor.stop_all().await;
        assert_eq!(reports()[0].status, Status::Stopped);
    }

    #[tokio::test]
    async fn an_essential_service_that_keeps_falling_takes_the_node_with_it() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let mut supervisor = Supervisor::new(clock.clone(), |_, _| ());
        supervisor
            .start(Service::new("lease", Importance::Essential, |_| async { Err::<(), _>("no database") }));
        let reports = supervisor.reports();
        until(&clock, || reports()[0].status == Status::Dead).await;
        assert_eq!(supervisor.essential_died().await, "lease");
        assert_eq!(reports()[0].executions, ESSENTIAL_FALLS);
    }

    use super::super::ServiceError;
}

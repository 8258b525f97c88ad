//! The node's view of its own health: whether the database answers is asked once a second, and answered from memory,
//! so that a probe never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::checks::Checks;
use crate::clock::Clock;
use crate::http::Readiness;
use crate::service::{Report, ServiceError, Status};
use crate::store::SharedStore;

/// How often the database is asked, and how long it has to answer.
const EVERY: Duration = Duration::from_secs(1);

/// Where the node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Starting,
    Serving,
    Draining,
}

/// Shared by the node and its HTTP server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Health(Arc<Inner>);

struct Inner {
    stage: AtomicU8,
    database: AtomicU8,
    checks: Checks,
}

impl Health {
    pub(super) fn new(checks: Checks) -> Self {
        // The database has just answered: the node registered.
        Self(Arc::new(Inner {
            stage: AtomicU8::new(Stage::Starting as u8),
            database: AtomicU8::new(1),
            checks,
        }))
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.0.stage.store(stage as u8, Ordering::Release);
    }

    pub(super) fn readiness(&self, reports: &[Report]) -> Readiness {
        let failing = self.0.checks.failing();
        let stage = self.0.stage.load(Ordering::Acquire);
        let reason = if stage == Stage::Starting as u8 {
            Some("starting")
        } else if stage == Stage::Draining as u8 {
            Some("draining")
        } else if self.0.database.load(Ordering::Acquire) == 0 {
            Some("database")
        } else if !failing.is_empty() {
            Some("checks")
        } else {
            None
        };
        let down = |report: &&Report| {
            !report.essential && matches!(report.status, Status::Restarting | Status::Dead)
        };
        let degraded = reports.iter().filter(down).map(|report| report.name).collect();
        Readiness { ready: reason.is_none(), reason, failing, degraded }
    }

    /// The service that asks the database.
    pub(super) async fn watch(
        self,
        store: SharedStore,
        clock: Clock,
        token: CancellationToken,
    ) -> Result<(), ServiceError> {
        loop {
            let answered = tokio::select! {
                () = token.cancelled() => return Ok(()),
                ping = store.ping() => ping.is_ok(),
                () = clock.sleep(EVERY) => false,
            };
            self.0.database.store(u8::from(answered), Ordering::Release);
            if token.run_until_cancelled(clock.sleep(EVERY)).await.is_none() {
                return Ok(());
            }
        }
    }
}

//! The sweep: one node at a time looks for dead ones and takes back what they ran. On SQLite there is one node, and
//! its start does that.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Scheduler;
use crate::clock::Boot;
use crate::event::{Event, JobRef};
use crate::service::ServiceError;
use crate::store::{Activity, Reclaimed, Sweep, Swept};

impl Scheduler {
    /// The service that sweeps every third of a lease, under a lease of its own that it renews every fifth.
    pub async fn sweep(self, token: CancellationToken) -> Result<(), ServiceError> {
        let lease = self.config.lease;
        let mut swept: Option<Boot> = None;
        while token.run_until_cancelled(self.clock.sleep(lease / 5)).await.is_some() {
            let due = swept.is_none_or(|at| self.clock.boot().since(at) >= lease / 3);
            match self.hold().await {
                Ok(true) if due => {
                    swept = Some(self.clock.boot());
                    self.sweep_once(lease).await;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "could not ask for the sweep's lease"),
            }
        }
        Ok(())
    }

    async fn hold(&self) -> crate::store::Result<bool> {
        let activity = Activity { name: "sweep", node: (self.node)(), lease: self.config.lease / 3 * 2 };
        self.store.hold(&activity, self.clock.now()).await
    }

    async fn sweep_once(&self, lease: Duration) {
        let sweep = Sweep {
            node: (self.node)(),
            lease,
            losses: self.config.losses,
            deadline_grace: self.config.deadline_grace,
        };
        match self.store.sweep(&sweep, self.clock.now()).await {
            Ok(swept) => self.tell(&swept),
            Err(error) => tracing::warn!(%error, "a sweep failed"),
        }
    }

    fn tell(&self, swept: &Swept) {
        for error in &swept.errors {
            tracing::warn!(%error, "a part of a sweep failed; the next one tries again");
        }
        for node in &swept.lost_nodes {
            self.events.emit(&Event::NodeLost { node: *node });
        }
        for Reclaimed { job, run, attempt, kind, queue, outcome, transition, .. } in &swept.reclaimed {
            let job =
                JobRef { job: *job, run: *run, kind: kind.clone(), queue: queue.clone(), attempt: *attempt };
            self.events.emit(&Event::JobReclaimed { job, state: transition.state(), outcome: *outcome });
        }
    }
}

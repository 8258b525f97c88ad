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
        let mut rounds = Rounds::begin(lease, self.clock.boot());
        while token.run_until_cancelled(self.clock.sleep_until(rounds.next())).await.is_some() {
            match rounds.due(self.clock.boot()) {
                Due::Hold => rounds.holds = self.holds().await,
                Due::Sweep if rounds.holds => self.sweep_once(lease).await,
                Due::Sweep | Due::Nothing => {}
            }
        }
        Ok(())
    }

    /// Whether this node is the one that sweeps.
    async fn holds(&self) -> bool {
        let held = self.hold().await;
        held.inspect_err(|error| tracing::warn!(%error, "could not ask for the sweep's lease"))
            .unwrap_or(false)
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

/// When what is due: the lease every fifth of a node's lease, the sweep every third, each a point in time.
#[derive(Debug)]
struct Rounds {
    lease: Duration,
    hold: Boot,
    sweep: Boot,
    /// What was answered last.
    holds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Hold,
    Sweep,
    Nothing,
}

impl Rounds {
    fn begin(lease: Duration, now: Boot) -> Self {
        Self { lease, hold: now.after(lease / 5), sweep: now.after(lease / 3), holds: false }
    }

    fn next(&self) -> Boot {
        self.hold.min(self.sweep)
    }

    /// What is to be done now, which is due again a round later. What was missed is not made up for.
    fn due(&mut self, now: Boot) -> Due {
        if now >= self.hold {
            self.hold = now.after(self.lease / 5);
            Due::Hold
        } else if now >= self.sweep {
            self.sweep = now.after(self.lease / 3);
            Due::Sweep
        } else {
            Due::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_comes_every_third_of_a_lease_and_its_own_lease_is_renewed_every_fifth() {
        let at = |seconds| Boot::default().after(Duration::from_secs(seconds));
        let mut rounds = Rounds::begin(Duration::from_secs(15), at(0));
        let mut seen = Vec::new();
        for now in 1..=15 {
            while rounds.next() <= at(now) {
                seen.push((now, rounds.due(at(now))));
            }
        }
        let of = |what| seen.iter().filter(|(_, due)| *due == what).map(|(at, _)| *at).collect::<Vec<_>>();
        assert_eq!((of(Due::Hold), of(Due::Sweep)), (vec![3, 6, 9, 12, 15], vec![5, 10, 15]));
    }
}

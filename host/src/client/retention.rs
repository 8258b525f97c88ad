//! Forgetting by hand what has been kept for long enough. Nodes do it by themselves.

use super::{Client, Result};
use crate::job::{Remains, RetentionPolicy, Timestamp, Walk};
use crate::store::{Doom, FleetPolicy, Footprint, PruneStep, Pruned};

impl Client {
    /// Deletes what has been kept for longer than the policy says, or counts it. Deleting goes on in small steps, each
    /// whole by itself; a call that fails may be repeated.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prune(&self, policy: &RetentionPolicy, doom: Doom) -> Result<Pruned> {
        let (mut sum, now) = (Pruned::default(), self.clock.now());
        let walks = policy.walks();
        for walk in &walks {
            // What a walk of jobs would take away of the logs, the walk of logs in the same queues counts once more.
            let of_logs = |other: &&Walk| other.remains == Remains::Logs && other.queues == walk.queues;
            let logs = walks.iter().find(of_logs);
            let lines_from = logs.map_or(Timestamp::EPOCH, |logs| logs.before(now));
            let mut step = PruneStep { lines_from, ..PruneStep::of(walk.clone(), doom) };
            loop {
                let pruned = self.repeated(async || self.store.prune(&step, self.clock.now()).await).await?;
                sum.add(&pruned);
                step.behind = pruned.next;
                if step.behind.is_none() {
                    break;
                }
            }
        }
        Ok(sum)
    }

    /// How long the fleet keeps things: as long as this policy, and as any node that is not lost and takes part in
    /// maintenance.
    ///
    /// # Errors
    /// When the database fails, or a node's policy can't be read.
    pub async fn fleet_policy(&self, own: &RetentionPolicy) -> Result<FleetPolicy> {
        Ok(FleetPolicy::of(own, &self.store.policies().await?))
    }

    /// How much room the jobs take.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn footprint(&self) -> Result<Footprint> {
        Ok(self.store.footprint().await?)
    }
}

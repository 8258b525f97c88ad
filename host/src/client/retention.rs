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
        self.prune_by(async || Ok(policy.clone()), doom).await
    }

    /// As [`Client::prune`], by what `asked` makes of what the fleet keeps, [with](Client::fleet_policy) this policy. That
    /// is looked at before every step: a node that enters meanwhile is heeded.
    ///
    /// # Errors
    /// As [`Client::fleet_policy`].
    pub async fn prune_fleet(
        &self,
        own: &RetentionPolicy,
        asked: impl Fn(&FleetPolicy) -> RetentionPolicy + Send + Sync,
        doom: Doom,
    ) -> Result<Pruned> {
        self.prune_by(async || Ok(asked(&self.fleet_policy(own).await?)), doom).await
    }

    async fn prune_by(
        &self,
        policy: impl AsyncFn() -> Result<RetentionPolicy>,
        doom: Doom,
    ) -> Result<Pruned> {
        let mut sum = Pruned::default();
        loop {
            let walks = policy().await?.walks();
            if let Some(pruned) = self.walk(&walks, &policy, doom, &mut sum).await? {
                return Ok(pruned);
            }
            // What is counted, is counted anew; what is deleted is gone.
            if doom == Doom::Count {
                sum = Pruned::default();
            }
        }
    }

    /// Every walk to its end; nothing, if the policy has become another one meanwhile.
    async fn walk(
        &self,
        walks: &[Walk],
        policy: &impl AsyncFn() -> Result<RetentionPolicy>,
        doom: Doom,
        sum: &mut Pruned,
    ) -> Result<Option<Pruned>> {
        let now = self.clock.now();
        for walk in walks {
            // What a walk of jobs would take away of the logs, the walk of logs in the same queues counts once more.
            let of_logs = |other: &&Walk| other.remains == Remains::Logs && other.queues == walk.queues;
            let logs = walks.iter().find(of_logs);
            let lines_from = logs.map_or(Timestamp::EPOCH, |logs| logs.before(now));
            let mut step = PruneStep { lines_from, ..PruneStep::of(walk.clone(), doom) };
            loop {
                if policy().await?.walks() != walks {
                    return Ok(None);
                }
                let pruned = self.repeated(async || self.store.prune(&step, self.clock.now()).await).await?;
                sum.add(&pruned);
                step.behind = pruned.next;
                if step.behind.is_none() {
                    break;
                }
            }
        }
        Ok(Some(std::mem::take(sum)))
    }

    /// How long the fleet keeps things: as long as this policy, and as any node that takes part in maintenance. One that
    /// is lost has its say for a day, unless it comes back under its name.
    ///
    /// # Errors
    /// When the database fails, or a node's policy can't be read.
    pub async fn fleet_policy(&self, own: &RetentionPolicy) -> Result<FleetPolicy> {
        Ok(FleetPolicy::of(own, &self.store.policies(self.clock.now()).await?))
    }

    /// How much room the jobs take.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn footprint(&self) -> Result<Footprint> {
        Ok(self.store.footprint().await?)
    }
}

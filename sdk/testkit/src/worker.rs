//! A worker that was loaded, and its attempts.

use std::sync::Arc;

use flyball::clock::Clock;
use flyball::job::{Completion, Evidence, Verdict};
use flyball::plugin::Plugin;
use flyball::sandbox::{Attempt, GuestJob, Stop};

use crate::ports::TriedPorts;
use crate::{Ended, Job, TestKit, TestKitError};

/// How long an attempt that is asked to stop has to end by itself.
const GRACE: std::time::Duration = std::time::Duration::from_millis(200);

/// A worker, ready to be tried.
pub struct Worker {
    plugin: Arc<Plugin>,
    kit: Arc<TestKit>,
}

impl Worker {
    pub(crate) fn new(plugin: Arc<Plugin>, kit: Arc<TestKit>) -> Self {
        Self { plugin, kit }
    }

    /// The worker as a node knows it: what it says about itself, its limits and grants.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Makes one attempt at a job, as a node would, in a sandbox of its own, and waits for its end.
    ///
    /// # Errors
    /// When the job is none. That the attempt failed is told by [`Ended`].
    pub fn run(&self, job: Job) -> Result<Ended, TestKitError> {
        let _turn = self.kit.turn();
        let clock = &self.kit.clock;
        clock.anchor(job.begins().unwrap_or_else(|| Clock::system().now()), clock.boot());
        let claim = job.claim(self.plugin.kind(), clock.now())?;
        let policy = self.plugin.retry(&claim.overrides);
        let asked_to_stop = job.stop;
        let ports = Arc::new(TriedPorts::new(self.plugin.clone(), clock.clone(), &claim, job));
        let (verdict, evidence) = match self.plugin.check_args(&claim.args) {
            Err(failure) => (Verdict::Failed(failure), Evidence::default()),
            Ok(()) => {
                let budget = self.plugin.budget(&claim.overrides);
                let stop = Stop::new(clock.clone());
                if let Some(cause) = asked_to_stop {
                    stop.ask(cause, GRACE);
                }
                let deadline = claim.created_at.after(budget.timeout);
                let guest_job = GuestJob::of(&claim, policy.max_attempts, deadline);
                let attempt = Attempt { job: guest_job, budget, stop, ports: ports.clone() };
                let (sandbox, worker) = (self.kit.sandbox.clone(), self.plugin.worker().clone());
                let ended = self.kit.wait(async move { sandbox.run(&worker, attempt).await })?;
                (ended.verdict, ended.evidence)
            }
        };
        let left = match &verdict {
            Verdict::Completed(completion) => completion.clone(),
            Verdict::Snoozed { .. }
            | Verdict::Cancelled { .. }
            | Verdict::Stopped
            | Verdict::Failed(_)
            | Verdict::Released(_) => Completion::default(),
        };
        let settled = claim.settle(verdict.clone(), evidence.clone(), &policy, clock.now());
        Ok(Ended {
            verdict,
            transition: settled.transition,
            log: evidence.log,
            follow_ups: left.follow_ups,
            barrier: left.barrier.map(|continuation| *continuation),
            checkpoint: evidence.checkpoint.map(|data| data.to_vec()),
            progress: ports.progress(),
            cost_micros: left.cost_micros,
            requests: ports.stubs.as_ref().map(|stubs| stubs.requested()).unwrap_or_default(),
            meter: evidence.meter,
        })
    }
}

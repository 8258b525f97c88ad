//! One attempt, from its claim to its settlement: a pipe over one value.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;

use super::Slot;
use super::context::Context;
use super::held::Grip;
use super::outcomes::Decided;
use super::ports::AttemptPorts;
use crate::event::{Event, JobRef};
use crate::job::{Claim, ErrorClass, Evidence, Failure, NodeId, Release, RunId, Settlement, Verdict};
use crate::plugin::Plugin;
use crate::sandbox::{Attempt, Ended, GuestJob, Stop};

/// Starts an attempt that was claimed under this id of the node. It ends with its outcome at the finalizer, together
/// with its grip and its slot.
pub(super) fn start(context: Arc<Context>, claim: Claim, node: NodeId, grip: Grip, slot: Slot) {
    tokio::spawn(async move {
        let settlement = settle(&context, claim, node, grip.stop()).await;
        grip.decided();
        context.checkpoints.forget(settlement.run);
        context.outcomes.offer(Decided { settlement, grip, slot }).await;
    });
}

/// A panic of the host is a failed attempt like any other, and charged: one that this job brings about every time must
/// come to an end.
async fn settle(context: &Arc<Context>, claim: Claim, node: NodeId, stop: Stop) -> Settlement {
    let plugin = context.plugin(&claim.kind);
    let policy = plugin.as_ref().map(|plugin| plugin.retry(&claim.overrides)).unwrap_or_default();
    let ended = run(context, plugin, &claim, node, stop);
    let Ended { verdict, evidence } =
        AssertUnwindSafe(ended).catch_unwind().await.unwrap_or_else(|_| host_fault(claim.run));
    claim.settle(verdict, evidence, &policy, context.clock.now())
}

fn host_fault(run: RunId) -> Ended {
    tracing::error!(run_id = %run, "a panic in the host ended an attempt");
    let failure = Failure::new(ErrorClass::Transient, "a fault of the host ended the attempt");
    Ended { verdict: Verdict::Failed(failure), evidence: Evidence::default() }
}

async fn run(
    context: &Arc<Context>,
    plugin: Option<Arc<Plugin>>,
    claim: &Claim,
    node: NodeId,
    stop: Stop,
) -> Ended {
    let release = |why| Ended { verdict: Verdict::Released(why), evidence: Evidence::default() };
    if !context.lease.is_held_by(node) {
        return release(Release::LeaseLost);
    }
    let Some(plugin) = plugin else { return release(Release::KindGone) };
    if let Err(failure) = check_args(context, &plugin, claim).await {
        let evidence = Evidence { component_digest: Some(plugin.digest().to_owned()), ..Evidence::default() };
        return Ended { verdict: Verdict::Failed(failure), evidence };
    }
    context.events.emit(&Event::JobStarted {
        job: JobRef::of(claim),
        wait: context.clock.now().since(claim.scheduled_at),
    });
    let attempt = prepare(context, &plugin, claim, node, stop);
    context.sandbox.run(plugin.worker(), attempt).await
}

/// A stranger's schema is put to a stranger's args: what may take a while is not done on a thread of the host, whose
/// renewals and answers it would delay.
async fn check_args(context: &Context, plugin: &Arc<Plugin>, claim: &Claim) -> Result<(), Failure> {
    if let Some(answer) = plugin.check_args_at_once(&claim.args) {
        return answer;
    }
    let (plugin, args) = (plugin.clone(), claim.args.clone());
    let answer = context.sandbox.aside(move || plugin.check_args(&args)).await;
    answer.unwrap_or_else(|| {
        let fault = "a fault of the host ended the check of the args";
        Err(Failure::new(ErrorClass::Transient, fault))
    })
}

fn prepare(context: &Arc<Context>, plugin: &Arc<Plugin>, claim: &Claim, node: NodeId, stop: Stop) -> Attempt {
    let budget = plugin.budget(&claim.overrides);
    let max_attempts = plugin.retry(&claim.overrides).max_attempts;
    let job = GuestJob::of(claim, max_attempts, context.clock.now().after(budget.timeout));
    let ports = Arc::new(AttemptPorts::new(context, plugin.clone(), claim, node));
    Attempt { job, budget, stop, ports }
}

impl JobRef {
    fn of(claim: &Claim) -> Self {
        Self {
            job: claim.job,
            run: claim.run,
            kind: claim.kind.clone(),
            queue: claim.queue.clone(),
            attempt: claim.tries.attempt,
        }
    }

    pub(super) fn settled(settlement: &Settlement) -> Self {
        Self {
            job: settlement.job,
            run: settlement.run,
            kind: settlement.kind.clone(),
            queue: settlement.queue.clone(),
            attempt: settlement.tries.attempt,
        }
    }
}

//! One attempt, from its claim to its settlement: a pipe over one value.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;

use super::Slot;
use super::context::Context;
use super::finalizer::Decided;
use super::ports::AttemptPorts;
use crate::event::{Event, JobRef};
use crate::job::{Claim, ErrorClass, Evidence, Failure, Release, RetryPolicy, RunId, Settlement, Verdict};
use crate::plugin::Plugin;
use crate::sandbox::{Attempt, GuestJob, Stop};

/// Starts an attempt. It ends with its outcome at the finalizer, together with its slot.
pub(super) fn start(context: Arc<Context>, claim: Claim, stop: Stop, slot: Slot) {
    let run = claim.run;
    tokio::spawn(async move {
        let settled = AssertUnwindSafe(settle(&context, claim, stop)).catch_unwind().await;
        match settled {
            Ok(settlement) => {
                context.held.decided(run);
                context.outcomes.offer(Decided { settlement, slot }).await;
            }
            Err(_) => abandon(&context, run),
        }
    });
}

/// A fault of ours outside the sandbox: the attempt is no longer held, so that the next renewal gives its job back.
fn abandon(context: &Context, run: RunId) {
    tracing::error!(run_id = %run, "an attempt was abandoned by a panic in the host; its job is given back");
    context.held.ended(run);
}

async fn settle(context: &Arc<Context>, claim: Claim, stop: Stop) -> Settlement {
    let release = |claim: Claim, why| {
        claim.settle(
            Verdict::Released(why),
            Evidence::default(),
            &RetryPolicy::default(),
            context.clock.now(),
        )
    };
    if !context.lease.is_held() {
        return release(claim, Release::LeaseLost);
    }
    let Some(plugin) = context.plugin(&claim.kind) else {
        return release(claim, Release::KindGone);
    };
    let policy = plugin.retry(&claim.overrides);
    if let Err(failure) = check_args(context, &plugin, &claim).await {
        let evidence = Evidence { component_digest: Some(plugin.digest().to_owned()), ..Evidence::default() };
        return claim.settle(Verdict::Failed(failure), evidence, &policy, context.clock.now());
    }
    context.events.emit(&Event::JobStarted {
        job: JobRef::of(&claim),
        wait: context.clock.now().since(claim.scheduled_at),
    });
    let attempt = prepare(context, &plugin, &claim, &policy, stop);
    let ended = context.sandbox.run(plugin.worker(), attempt).await;
    claim.settle(ended.verdict, ended.evidence, &policy, context.clock.now())
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

fn prepare(
    context: &Arc<Context>,
    plugin: &Arc<Plugin>,
    claim: &Claim,
    policy: &RetryPolicy,
    stop: Stop,
) -> Attempt {
    let budget = plugin.budget(&claim.overrides);
    let job = GuestJob {
        id: claim.job,
        run: claim.run,
        kind: claim.kind.clone(),
        queue: claim.queue.clone(),
        args: claim.args.clone(),
        tries: claim.tries,
        max_attempts: policy.max_attempts,
        parent: claim.lineage.parent,
        created_at: claim.created_at,
        scheduled_at: claim.scheduled_at,
        deadline: context.clock.now().after(budget.timeout),
        tags: claim.tags.clone(),
        metadata: claim.metadata.clone(),
    };
    let ports = Arc::new(AttemptPorts::new(context, plugin.clone(), claim));
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

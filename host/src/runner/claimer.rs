//! Claiming: asks the store for what the planner plans, and starts what the store answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::held::Unanswered;
use super::{Answer, Plan, Planner, Runner, Shares, View, attempt, pace};
use crate::clock::Boot;
use crate::job::{Claim, NodeId, ServedQueue};
use crate::plugin::Catalog;
use crate::service::ServiceError;
use crate::store::{ClaimRequest, Claimed, QueueRoom, Queues, StoreError, Turn};
use crate::wake::{Line, Listener};

/// Between two tries of the same claim: from, and up to.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// A claim that was so often too long in coming is given up: there may be more in it than can be answered in time.
const LATE: u32 = 2;

impl Runner {
    /// The service that claims jobs and starts their attempts. Told to stop, it waits for the answer it asked for,
    /// and what that brings is still run.
    pub async fn claim_jobs(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let mut news = News {
            work: context.store.bell().listen(Line::Work),
            // One for all waits: each clone would find the changes new that were seen long ago.
            catalog: context.catalog.clone(),
        };
        let weights = context.config.queues.iter().map(|served| (served.queue.clone(), served.weight));
        let mut planner = Planner::new(context.config.poll_interval, Shares::new(weights));
        let mut answered = context.clock.boot();
        while !token.is_cancelled() {
            match planner.plan(&view(&context)) {
                Plan::Claim { turn: Turn::Fresh, .. } => {
                    gather(&context, answered).await;
                    claim_fresh(&context, &mut planner, &token).await;
                    answered = context.clock.boot();
                }
                Plan::Claim { most, turn: Turn::LastChance } => {
                    claim_last_chance(&context, &mut planner, most, &token).await;
                }
                Plan::Look => look(&context, &mut planner, &token).await,
                Plan::Wait { until } => {
                    token.run_until_cancelled(wait(&context, &mut planner, &mut news, until)).await;
                }
            }
        }
        Ok(())
    }
}

/// What tells that there may be work.
struct News {
    work: Listener,
    catalog: watch::Receiver<Arc<Catalog>>,
}

fn view(context: &Context) -> View {
    let in_use = context.sandbox.guest_memory_in_use();
    let memory = in_use < context.sandbox.guest_memory_limit() / 5 * 4;
    let busy = context.slots.busy();
    View {
        now: context.clock.boot(),
        busy,
        free: context.slots.concurrency().saturating_sub(busy),
        queues: rooms(context),
        may_start: memory && context.lease.is_held() && !context.catalog.borrow().is_empty(),
    }
}

/// The queues that the node takes from. One without room is among them: whether a last chance waits in it is asked too.
fn rooms(context: &Context) -> Queues {
    let room = |served: &ServedQueue| QueueRoom {
        queue: served.queue.clone(),
        room: served.concurrency.saturating_sub(context.slots.busy_with(&served.queue)),
    };
    match context.config.queues.as_slice() {
        [] => Queues::Every,
        named => Queues::Only(named.iter().map(room).collect()),
    }
}

/// While the line is long, a freed slot waits a little for others, so that one claim fills many.
async fn gather(context: &Context, answered: Boot) {
    let enough = pace::enough(context.slots.concurrency());
    let free = || context.slots.concurrency().saturating_sub(context.slots.busy());
    while let Some(until) = context.pace.until(answered)
        && free() < enough
        && context.clock.boot() < until
    {
        tokio::select! {
            () = context.slots.freed() => {}
            () = context.clock.sleep_until(until) => {}
        }
    }
}

async fn wait(context: &Context, planner: &mut Planner, news: &mut News, until: Boot) {
    tokio::select! {
        () = news.work.heard() => planner.woken(),
        () = context.slots.freed() => {}
        // The plugin service keeps the sender; without it the poll still looks.
        Ok(()) = news.catalog.changed() => planner.woken(),
        () = context.clock.sleep_until(until) => {}
    }
}

async fn claim_fresh(context: &Arc<Context>, planner: &mut Planner, token: &CancellationToken) {
    // Slots were freed while others were waited for.
    let Plan::Claim { most, turn: Turn::Fresh } = planner.plan(&view(context)) else { return };
    let (request, unanswered) = request(context, planner, most, Turn::Fresh);
    let Some(claimed) = ask(context, planner, &request, token).await else { return };
    let answer = Answer {
        asked: most,
        got: claimed.claims.iter().map(|claim| claim.queue.clone()).collect(),
        queues: request.queues,
        more: claimed.more,
        last_chances: claimed.last_chances,
    };
    planner.fresh_answered(&answer, context.clock.boot());
    if planner.line_is_long() {
        context.pace.line_is_long();
    } else {
        context.pace.line_is_short();
    }
    start(context, request.node, unanswered, claimed.claims);
}

async fn claim_last_chance(
    context: &Arc<Context>,
    planner: &mut Planner,
    most: u32,
    token: &CancellationToken,
) {
    let (request, unanswered) = request(context, planner, most, Turn::LastChance);
    let Some(Claimed { claims, .. }) = ask(context, planner, &request, token).await else { return };
    planner.last_chance_answered(u32::try_from(claims.len()).unwrap_or(u32::MAX), context.clock.boot());
    start(context, request.node, unanswered, claims);
}

/// Asks for nothing, and hears whether a last chance waits.
async fn look(context: &Arc<Context>, planner: &mut Planner, token: &CancellationToken) {
    let (request, _nothing) = request(context, planner, 0, Turn::Fresh);
    if let Some(claimed) = ask(context, planner, &request, token).await {
        planner.looked(claimed.last_chances, context.clock.boot());
    }
}

fn start(context: &Arc<Context>, node: NodeId, unanswered: Unanswered, claims: Vec<Claim>) {
    let grips = unanswered.answered(&claims);
    for (claim, grip) in claims.into_iter().zip(grips) {
        let slot = context.slots.take(claim.queue.clone());
        attempt::start(context.clone(), claim, node, grip, slot);
    }
}

fn request(context: &Context, planner: &Planner, most: u32, turn: Turn) -> (ClaimRequest, Unanswered) {
    let unanswered = context.held.begin_claim(most);
    let request = ClaimRequest {
        node: context.lease.node(),
        runs: unanswered.runs().to_vec(),
        queues: rooms(context),
        shares: planner.shares(),
        kinds: context.catalog.borrow().served(),
        classes: context.config.classes.clone(),
        turn,
    };
    (request, unanswered)
}

/// Asks with the same ids until there is an answer. `None` if the claim was given up: the next renewal gives back
/// what it may have brought.
async fn ask(
    context: &Context,
    planner: &mut Planner,
    request: &ClaimRequest,
    token: &CancellationToken,
) -> Option<Claimed> {
    let mut delay = RETRY.0;
    let mut late = 0;
    loop {
        match context.store.claim(request, context.clock.now()).await {
            // While the answer was under way, others took this node for lost: what it brought is no longer ours.
            Ok(_) if context.lease.node() != request.node => return None,
            Ok(claimed) => return Some(claimed),
            Err(StoreError::NodeLost) => break,
            Err(error) if error.is_passing() && !token.is_cancelled() && context.lease.is_held() => {
                tracing::warn!(%error, "a claim failed; trying again with the same ids");
                late += u32::from(error.took_too_long());
            }
            Err(error) => {
                tracing::warn!(%error, "a claim was given up");
                break;
            }
        }
        if late == LATE {
            tracing::warn!(jobs = request.runs.len(), "a claim was given up; the next asks for fewer jobs");
            planner.too_much(u32::try_from(request.runs.len()).unwrap_or(u32::MAX));
            return None;
        }
        context.clock.sleep(delay).await;
        delay = (delay * 2).min(RETRY.1);
    }
    context.clock.sleep(RETRY.1).await;
    None
}

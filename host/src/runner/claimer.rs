//! Claiming: asks the store for what the planner plans, and starts what the store answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::context::{Context, Crew};
use super::held::Unanswered;
use super::solitude::Leave;
use super::{Answer, Plan, Planner, Runners, Shares, View, attempt, pace};
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

impl Runners {
    /// The service of one runner that claims jobs and starts their attempts. Told to stop, it waits for the answer it
    /// asked for, and what that brings is still run.
    pub async fn claim_jobs(self, number: usize, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let crew = &context.crews[number];
        let mut news = News {
            work: context.store.bell().listen(Line::Work),
            // One for all waits: each clone would find the changes new that were seen long ago.
            catalog: context.catalog.clone(),
        };
        let weights = crew.config.queues.iter().map(|served| (served.queue.clone(), served.weight));
        let mut planner = Planner::new(crew.config.poll_interval, Shares::new(weights));
        let mut answered = context.clock.boot();
        while !token.is_cancelled() {
            match plan(&context, crew, &mut planner) {
                Plan::Claim { turn: Turn::Fresh, .. } => {
                    gather(&context, crew, answered).await;
                    claim_fresh(&context, crew, &mut planner, &token).await;
                    answered = context.clock.boot();
                }
                Plan::Claim { most, turn: Turn::LastChance } => {
                    claim_last_chance(&context, crew, &mut planner, most, &token).await;
                }
                Plan::Look => look(&context, crew, &mut planner, &token).await,
                Plan::Wait { until } => {
                    token.run_until_cancelled(wait(&context, crew, &mut planner, &mut news, until)).await;
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

/// Plans, and keeps the other runners from beginning anything while this one wants the node for itself.
fn plan(context: &Context, crew: &Crew, planner: &mut Planner) -> Plan {
    if planner.wants_the_node() {
        context.solitude.ask(crew.number);
    }
    let plan = planner.plan(&view(context, crew));
    if !planner.wants_the_node() && context.solitude.give_back(crew.number) && context.crews.len() > 1 {
        // The others have waited for it.
        context.store.bell().ring(Line::Work);
    }
    plan
}

fn view(context: &Context, crew: &Crew) -> View {
    let in_use = context.sandbox.guest_memory_in_use();
    let memory = in_use < context.sandbox.guest_memory_limit() / 5 * 4;
    let leave = context.solitude.leave(crew.number) == Leave::Given;
    View {
        now: context.clock.boot(),
        // Of all runners; a claim of another that is under way may bring one.
        busy: context.member.busy().max(u32::from(!context.held.is_nothing())),
        free: crew.slots.concurrency().saturating_sub(crew.slots.busy()),
        queues: rooms(crew),
        may_start: memory && leave && context.lease.is_held() && !context.catalog.borrow().is_empty(),
    }
}

/// The queues that the runner takes from. One without room is among them: whether a last chance waits in it is asked too.
fn rooms(crew: &Crew) -> Queues {
    let room = |served: &ServedQueue| QueueRoom {
        queue: served.queue.clone(),
        room: served.concurrency.saturating_sub(crew.slots.busy_with(&served.queue)),
    };
    match crew.config.queues.as_slice() {
        [] => Queues::Every,
        named => Queues::Only(named.iter().map(room).collect()),
    }
}

/// While the line is long, a freed slot waits a little for others, so that one claim fills many.
async fn gather(context: &Context, crew: &Crew, answered: Boot) {
    let enough = pace::enough(crew.slots.concurrency());
    let free = || crew.slots.concurrency().saturating_sub(crew.slots.busy());
    while let Some(until) = crew.pace.until(answered)
        && free() < enough
        && context.clock.boot() < until
    {
        tokio::select! {
            () = crew.slots.freed() => {}
            () = context.clock.sleep_until(until) => {}
        }
    }
}

async fn wait(context: &Context, crew: &Crew, planner: &mut Planner, news: &mut News, until: Boot) {
    tokio::select! {
        () = news.work.heard() => planner.woken(),
        () = crew.slots.freed() => {}
        // The plugin service keeps the sender; without it the poll still looks.
        Ok(()) = news.catalog.changed() => planner.woken(),
        () = context.clock.sleep_until(until) => {}
    }
}

async fn claim_fresh(context: &Arc<Context>, crew: &Crew, planner: &mut Planner, token: &CancellationToken) {
    // Slots were freed while others were waited for.
    let Plan::Claim { most, turn: Turn::Fresh } = plan(context, crew, planner) else { return };
    let Some((request, unanswered)) = request(context, crew, planner, most, Turn::Fresh) else { return };
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
        crew.pace.line_is_long();
    } else {
        crew.pace.line_is_short();
    }
    start(context, crew, request.node, unanswered, claimed.claims);
}

async fn claim_last_chance(
    context: &Arc<Context>,
    crew: &Crew,
    planner: &mut Planner,
    most: u32,
    token: &CancellationToken,
) {
    let Some((request, unanswered)) = request(context, crew, planner, most, Turn::LastChance) else { return };
    let Some(Claimed { claims, .. }) = ask(context, planner, &request, token).await else { return };
    planner.last_chance_answered(u32::try_from(claims.len()).unwrap_or(u32::MAX), context.clock.boot());
    start(context, crew, request.node, unanswered, claims);
}

/// Asks for nothing, and hears whether a last chance waits.
async fn look(context: &Arc<Context>, crew: &Crew, planner: &mut Planner, token: &CancellationToken) {
    let Some((request, _nothing)) = request(context, crew, planner, 0, Turn::Fresh) else { return };
    if let Some(claimed) = ask(context, planner, &request, token).await {
        planner.looked(claimed.last_chances, context.clock.boot());
    }
}

fn start(context: &Arc<Context>, crew: &Crew, node: NodeId, unanswered: Unanswered, claims: Vec<Claim>) {
    let grips = unanswered.answered(&claims);
    for (claim, grip) in claims.into_iter().zip(grips) {
        let slot = crew.slots.take(claim.queue.clone());
        attempt::start(context.clone(), claim, node, grip, slot);
    }
}

/// `None` if another runner wants the node for itself.
fn request(
    context: &Context,
    crew: &Crew,
    planner: &Planner,
    most: u32,
    turn: Turn,
) -> Option<(ClaimRequest, Unanswered)> {
    let unanswered = context.solitude.begin(crew.number, || context.held.begin_claim(most))?;
    let request = ClaimRequest {
        node: context.lease.node(),
        runs: unanswered.runs().to_vec(),
        queues: rooms(crew),
        shares: planner.shares(),
        kinds: context.catalog.borrow().served(),
        classes: crew.config.classes.clone(),
        turn,
    };
    Some((request, unanswered))
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

//! Claiming: asks the store for what the planner plans, and starts what the store answers.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::{Plan, Planner, Runner, View, attempt};
use crate::job::{Queue, RunId};
use crate::service::ServiceError;
use crate::store::{ClaimRequest, Claimed, QueueRoom, Queues, StoreError, Turn};
use crate::wake::{Line, Listener};

/// While the line is long, a freed slot waits so long for others, so that one claim fills many.
const GATHER: Duration = Duration::from_millis(1);
/// Between two tries of the same claim: from, and up to.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

impl Runner {
    /// The service that claims jobs and starts their attempts. Told to stop, it waits for the answer it asked for,
    /// and what that brings is still run.
    pub async fn claim_jobs(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let mut work = context.store.bell().listen(Line::Work);
        let mut planner = Planner::default();
        while !token.is_cancelled() {
            match planner.plan(view(&context)) {
                Plan::Claim { room, turn } => {
                    gather(&context, room).await;
                    let room = context.slots.concurrency().saturating_sub(context.slots.busy()).max(1);
                    let room = if turn == Turn::LastChance { 1 } else { room };
                    claim(&context, &mut planner, room, turn, &token).await;
                }
                Plan::Wait { until } => {
                    let poll = context.config.poll_interval;
                    let wait = until.map_or(poll, |until| poll.min(until.since(context.clock.boot())));
                    token.run_until_cancelled(wait_for_work(&context, &mut planner, &mut work, wait)).await;
                }
            }
        }
        Ok(())
    }
}

fn view(context: &Context) -> View {
    let in_use = context.sandbox.guest_memory_in_use();
    let memory = in_use < context.sandbox.guest_memory_limit() / 5 * 4;
    View {
        now: context.clock.boot(),
        busy: context.slots.busy(),
        concurrency: context.slots.concurrency(),
        may_start: memory && context.lease.is_held() && !context.catalog.borrow().is_empty(),
    }
}

async fn gather(context: &Context, room: u32) {
    let few = room * 4 < context.slots.concurrency();
    if few {
        context.clock.sleep(GATHER).await;
    }
}

async fn wait_for_work(context: &Context, planner: &mut Planner, work: &mut Listener, wait: Duration) {
    let mut catalog = context.catalog.clone();
    tokio::select! {
        () = work.heard() => planner.woken(),
        () = context.slots.freed() => {}
        // The plugin service keeps the sender; without it the poll still looks.
        Ok(()) = catalog.changed() => planner.woken(),
        () = context.clock.sleep(wait) => planner.woken(),
    }
}

async fn claim(
    context: &Arc<Context>,
    planner: &mut Planner,
    room: u32,
    turn: Turn,
    token: &CancellationToken,
) {
    let runs = context.held.begin_claim(room);
    let request = request(context, runs, turn);
    let Some(Claimed { claims, last_chances, more }) = ask(context, &request, token).await else { return };
    let got = u32::try_from(claims.len()).unwrap_or(u32::MAX);
    match turn {
        Turn::Fresh => {
            // Where there is more, it is as if all that was asked for had come.
            let got = if more { room } else { got };
            planner.fresh_answered(room, got, last_chances, context.clock.boot());
        }
        Turn::LastChance => planner.last_chance_answered(got),
    }
    let stops = context.held.answered(&request.runs, &claims);
    for (claim, stop) in claims.into_iter().zip(stops) {
        let slot = context.slots.take(claim.queue.clone());
        attempt::start(context.clone(), claim, stop, slot);
    }
}

fn request(context: &Context, runs: Vec<RunId>, turn: Turn) -> ClaimRequest {
    let room = |(queue, most): &(Queue, u32)| QueueRoom {
        queue: queue.clone(),
        room: most.saturating_sub(context.slots.busy_with(queue)),
    };
    let queues = match context.config.queues.as_slice() {
        [] => Queues::Every,
        named => Queues::Only(named.iter().map(room).filter(|queue| queue.room > 0).collect()),
    };
    ClaimRequest {
        node: context.lease.node(),
        runs,
        queues,
        kinds: context.catalog.borrow().served(),
        classes: context.config.classes.clone(),
        turn,
    }
}

/// Asks with the same ids until there is an answer. `None` if the claim was given up: the next renewal gives back
/// what it may have brought.
async fn ask(context: &Context, request: &ClaimRequest, token: &CancellationToken) -> Option<Claimed> {
    let mut delay = RETRY.0;
    loop {
        match context.store.claim(request, context.clock.now()).await {
            Ok(claimed) => return Some(claimed),
            Err(StoreError::NodeLost) => break,
            Err(error) if error.is_passing() && !token.is_cancelled() && context.lease.is_held() => {
                tracing::warn!(%error, "a claim failed; trying again with the same ids");
            }
            Err(error) => {
                tracing::warn!(%error, "a claim was given up");
                break;
            }
        }
        context.clock.sleep(delay).await;
        delay = (delay * 2).min(RETRY.1);
    }
    context.held.given_up(&request.runs);
    context.clock.sleep(RETRY.1).await;
    None
}

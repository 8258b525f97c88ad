//! A fan-out has its end: the continuation behind a barrier is enqueued once, when the last child has ended, whoever
//! ended it and whatever it came to.

use std::time::Duration;

use flyball::job::{
    Barriers, Claim, Completion, ErrorClass, JobId, JobIds, JobRecord, JobState, NewJob, NodeId, Operation,
    Replay, RunId, Verdict, When,
};
use flyball::store::{Database, Selection, Settled, Turn};

use crate::world::{World, cancelling, completed, failed, order, promises};

promises! {
    a_barrier_fires_once_when_the_last_child_has_ended_whatever_each_came_to
    a_barrier_behind_no_new_job_fires_at_once
    the_delay_of_a_continuation_counts_from_the_last_end
    an_attempt_whose_follow_ups_are_refused_sets_no_barrier
    a_child_that_is_tried_again_before_the_barrier_fires_is_waited_for
    a_barrier_waits_for_the_children_of_its_own_run_alone
    a_cancel_of_the_children_drops_their_barrier_unless_it_is_to_fire
    a_barrier_fires_when_a_loss_ends_the_last_child
    a_barrier_fires_when_the_last_child_cannot_be_read
    a_barrier_fires_when_the_last_child_is_cancelled_as_its_node_leaves
    only_what_is_awaited_costs_more_than_one_statement
    a_repeated_outcome_of_the_last_child_fires_nothing_twice
}

/// A job that has fanned out.
pub(crate) struct Family {
    pub(crate) node: NodeId,
    pub(crate) parent: JobId,
    pub(crate) run: RunId,
    pub(crate) children: Vec<JobId>,
    pub(crate) continuation: JobId,
}

/// What an attempt asks for: so many jobs, and a continuation behind them.
pub(crate) fn fan_out(world: &World, claim: &Claim, count: usize) -> Completion {
    let ids = JobIds::default();
    let job = || {
        let job = world.job(|opts| opts.lineage = claim.child_lineage());
        NewJob { id: ids.mint(world.now()), ..job }
    };
    let follow_ups = (0..count).map(|_| job()).collect();
    Completion { follow_ups, barrier: Some(Box::new(job())), ..Completion::default() }
}

impl Family {
    /// Of a new job.
    pub(crate) async fn of(world: &World, count: usize) -> Self {
        let (node, claim) = world.running().await;
        Self::grow(world, node, claim, count).await
    }

    pub(crate) async fn grow(world: &World, node: NodeId, claim: Claim, count: usize) -> Self {
        let (parent, run) = (claim.job, claim.run);
        let completion = fan_out(world, &claim, count);
        let children = completion.follow_ups.iter().map(|job| job.id).collect();
        let continuation = completion.barrier.as_ref().unwrap().id;
        let settled = world.end(claim, Verdict::Completed(completion)).await;
        assert!(matches!(settled, Settled::Advanced { state: JobState::Succeeded, .. }), "{settled:?}");
        Self { node, parent, run, children, continuation }
    }

    /// Its continuation, if that was enqueued.
    pub(crate) async fn fired(&self, world: &World) -> Option<JobRecord> {
        world.store.job(self.continuation).await.unwrap()
    }

    pub(crate) async fn assert_waits(&self, world: &World) {
        assert_eq!(self.fired(world).await, None, "the barrier fired too early");
    }

    pub(crate) async fn assert_fired(&self, world: &World) -> JobRecord {
        let fired = self.fired(world).await.expect("the barrier never fired");
        let lineage = (fired.parent_id, fired.parent_run_id, fired.continues_run_id, fired.awaited);
        assert_eq!(lineage, (Some(self.parent), Some(self.run), Some(self.run), false));
        fired
    }
}

pub(crate) async fn cancel(world: &World, job: JobId) {
    world.store.order(&cancelling(world.now()), &[job], world.now()).await.unwrap();
}

pub(crate) async fn a_barrier_fires_once_when_the_last_child_has_ended_whatever_each_came_to(world: World) {
    let family = Family::of(&world, 5).await;
    let waits = world.state(family.children[4]).await;
    assert_eq!(waits, JobState::Available);
    cancel(&world, family.children[4]).await;
    family.assert_waits(&world).await;
    let stops = Verdict::Cancelled { reason: "enough".into() };
    let ends = [completed(), failed(ErrorClass::Permanent), stops, completed()];
    let mut claims = world.claim(family.node, 4).await;
    world.advance(7);
    for end in ends {
        family.assert_waits(&world).await;
        world.end(claims.pop().unwrap(), end).await;
    }
    let fired = family.assert_fired(&world).await;
    assert_eq!((fired.state, fired.created_at, fired.depth), (JobState::Available, world.now(), 1));
    assert_eq!(fired.root_id, Some(family.parent));
    let claim = world.claim(family.node, 9).await.pop().expect("it is there to be claimed");
    assert_eq!((claim.job, claim.lineage.continues), (family.continuation, Some(family.run)));
}

async fn a_cancel_of_the_children_drops_their_barrier_unless_it_is_to_fire(world: World) {
    for barriers in [Barriers::Drop, Barriers::Fire] {
        let family = Family::of(&world, 3).await;
        let running = world.claim(family.node, 1).await.pop().unwrap();
        let selection = Selection { parent_id: Some(family.parent), ..Selection::default() };
        let nobody = Selection { kind: Some(crate::world::kind("nobody")), ..selection.clone() };
        let found_none = order(Operation::Cancel(Barriers::Drop), world.now());
        world.store.order_next(&found_none, &nobody, None, world.now()).await.unwrap();
        let order = order(Operation::Cancel(barriers), world.now());
        let step = world.store.order_next(&order, &selection, None, world.now()).await.unwrap();
        assert_eq!(step.next, None, "one batch");
        family.assert_waits(&world).await;
        // Whoever was asked to stop ends last.
        world.end(running, Verdict::Stopped).await;
        match barriers {
            Barriers::Drop => family.assert_waits(&world).await,
            Barriers::Fire => drop(family.assert_fired(&world).await),
        }
        cancel(&world, family.continuation).await;
    }
}

async fn a_barrier_behind_no_new_job_fires_at_once(world: World) {
    let family = Family::of(&world, 0).await;
    family.assert_fired(&world).await;
    cancel(&world, family.continuation).await;
    // All that it asks for is there already.
    let key = flyball::job::Key::new("taken").unwrap();
    let taken = world.insert_one(|opts| opts.unique_key = Some(key.clone())).await;
    cancel(&world, taken).await;
    let (_, claim) = world.running().await;
    let mut completion = fan_out(&world, &claim, 2);
    completion.follow_ups.iter_mut().for_each(|job| job.unique_key = Some(key.clone()));
    let continuation = completion.barrier.as_ref().unwrap().id;
    world.end(claim, Verdict::Completed(completion)).await;
    assert_eq!(world.state(continuation).await, JobState::Available);
}

async fn the_delay_of_a_continuation_counts_from_the_last_end(world: World) {
    let (node, claim) = world.running().await;
    let mut completion = fan_out(&world, &claim, 1);
    let lineage = claim.child_lineage();
    let later = world.job(|opts| (opts.when, opts.lineage) = (When::In(Duration::from_secs(30)), lineage));
    completion.barrier = Some(Box::new(later));
    let continuation = completion.barrier.as_ref().unwrap().id;
    world.end(claim, Verdict::Completed(completion)).await;
    world.advance(100);
    world.end(world.claim(node, 1).await.pop().unwrap(), completed()).await;
    let read = world.read(continuation).await;
    let due = world.now().after(Duration::from_secs(30));
    assert_eq!((read.state, read.created_at, read.scheduled_at), (JobState::Scheduled, world.now(), due));
}

async fn an_attempt_whose_follow_ups_are_refused_sets_no_barrier(world: World) {
    let store = world.other_with(|options| options.max_descendants = 2).await;
    let (_, claim) = world.running().await;
    let completion = fan_out(&world, &claim, 3);
    let continuation = completion.barrier.as_ref().unwrap().id;
    let settlement = world.settle(claim, Verdict::Completed(completion));
    store.finalize(std::slice::from_ref(&settlement), world.now()).await.unwrap();
    assert_eq!(world.state(settlement.job).await, JobState::Discarded);
    assert_eq!(world.store.job(continuation).await.unwrap(), None);
    store.close().await;
}

async fn a_child_that_is_tried_again_before_the_barrier_fires_is_waited_for(world: World) {
    for operation in [Operation::Retry, Operation::Replay(Replay::default())] {
        let family = Family::of(&world, 2).await;
        let mut claims = world.claim(family.node, 2).await;
        let (first, second) = (claims.pop().unwrap(), claims.pop().unwrap());
        let (discarded, retried) = (first.job, second.job);
        world.end(first, failed(ErrorClass::Permanent)).await;
        let again = order(operation, world.now());
        world.store.order(&again, &[discarded], world.now()).await.unwrap();
        world.end(second, failed(ErrorClass::Transient)).await;
        assert_eq!(world.state(retried).await, JobState::Retryable);
        cancel(&world, retried).await;
        family.assert_waits(&world).await;
        world.end(world.claim(family.node, 1).await.pop().unwrap(), completed()).await;
        family.assert_fired(&world).await;
        cancel(&world, family.continuation).await;
    }
}

async fn a_barrier_waits_for_the_children_of_its_own_run_alone(world: World) {
    let first = Family::of(&world, 1).await;
    let claim = world.claim(first.node, 1).await.pop().unwrap();
    // The child fans out itself: its own children are not the first barrier's business.
    let second = Family::grow(&world, first.node, claim, 1).await;
    first.assert_fired(&world).await;
    second.assert_waits(&world).await;
    cancel(&world, second.children[0]).await;
    second.assert_fired(&world).await;
}

/// The node dies: on SQLite the next one starts, on PostgreSQL another sweeps.
pub(crate) async fn lose(world: &World) {
    match world.database {
        Database::Sqlite => drop(world.register(NodeId::mint(world.now())).await),
        Database::Postgres => {
            let node = world.node().await;
            world.live(4, &[(node, &[])]).await;
            let swept = world.store.sweep(&world.sweep(node), world.now()).await.unwrap();
            assert!(swept.errors.is_empty(), "{swept:?}");
        }
    }
}

async fn a_barrier_fires_when_a_loss_ends_the_last_child(world: World) {
    let family = Family::of(&world, 2).await;
    // One is cancelled by the loss, the other is discarded for it: it was its last.
    let claim = world.claim(family.node, 1).await.pop().unwrap();
    cancel(&world, claim.job).await;
    let last = family.children.iter().find(|child| **child != claim.job).unwrap();
    world.sql(&format!("UPDATE flyball.jobs SET last_chance = true, crashes = 2 WHERE id = '{last}'")).await;
    let mut request = world.request(family.node, 1);
    request.turn = Turn::LastChance;
    assert_eq!(world.take(&request).await[0].job, *last);
    lose(&world).await;
    assert_eq!(world.state(claim.job).await, JobState::Cancelled);
    assert_eq!(world.state(*last).await, JobState::Discarded);
    family.assert_fired(&world).await;
}

async fn a_barrier_fires_when_the_last_child_cannot_be_read(world: World) {
    let family = Family::of(&world, 1).await;
    crate::discards::fails_to_be_claimed(&world, family.node, family.children[0]).await;
    assert_eq!(world.state(family.children[0]).await, JobState::Discarded);
    family.assert_fired(&world).await;
}

async fn a_barrier_fires_when_the_last_child_is_cancelled_as_its_node_leaves(world: World) {
    let family = Family::of(&world, 1).await;
    let claim = world.claim(family.node, 1).await.pop().unwrap();
    cancel(&world, claim.job).await;
    family.assert_waits(&world).await;
    world.store.leave(family.node, world.now()).await.unwrap();
    assert_eq!(world.state(claim.job).await, JobState::Cancelled);
    family.assert_fired(&world).await;
}

async fn only_what_is_awaited_costs_more_than_one_statement(world: World) {
    let family = Family::of(&world, 1).await;
    let claim = world.claim(family.node, 1).await.pop().unwrap();
    let cost = async |claim: Claim| {
        let settlement = world.settle(claim, completed());
        let before = world.store.statements();
        world.finalize(&settlement).await;
        world.store.statements() - before
    };
    let awaited = cost(claim).await;
    world.insert(9).await;
    // What would be enqueued by a discard costs nothing as long as there is none.
    let tell = flyball::job::OnDiscard { kind: crate::world::kind("tell"), args: "1".into() };
    world.insert_one(|opts| opts.on_discard = Some(tell)).await;
    cancel(&world, family.continuation).await;
    // What rings in other processes does so when it can: the least is what an outcome takes.
    let mut plain = u64::MAX;
    for claim in world.claim(family.node, 10).await {
        plain = plain.min(cost(claim).await);
    }
    assert!(plain < awaited, "{plain} statements, {awaited} for a child that is awaited");
    if world.database == Database::Postgres {
        assert_eq!(plain, 1);
    }
}

async fn a_repeated_outcome_of_the_last_child_fires_nothing_twice(world: World) {
    let family = Family::of(&world, 1).await;
    let settlement = world.settle(world.claim(family.node, 1).await.pop().unwrap(), completed());
    let first = world.finalize(&settlement).await;
    family.assert_fired(&world).await;
    world.sql(&format!("DELETE FROM flyball.jobs WHERE id = '{}'", family.continuation)).await;
    assert_eq!(world.finalize(&settlement).await, first);
    assert_eq!(family.fired(&world).await, None, "it fired once more");
}

//! The last children of a family end at the same moment, in transactions that do not see each other; a checkpoint meets
//! the end of its attempt. PostgreSQL only, where there is more than one writer.

use std::cell::Cell;

use flyball::job::{Claim, ErrorClass, JobId, JobState, NodeId, Operation, Replay, Settlement};
use flyball::store::{CheckpointSave, SharedStore};
use futures::future::join_all;

use crate::barriers::{Family, cancel};
use crate::leases::{connect, on_postgres, run, waits_for_a_lock_or, waits_for_locks_or};
use crate::world::{AVAILABLE, LEASE, World, cancelling, completed, failed, order, retrying};

on_postgres! {
    the_barrier_fires_exactly_once_whoever_ends_the_last_children_a_thousand_times
    last_children_that_end_unseen_by_each_other_fire_the_barrier
    a_retry_that_meets_the_end_of_the_last_child_is_waited_for
    a_retry_waits_for_the_barrier_that_fires
    a_barrier_fires_when_a_renewal_gives_back_the_last_child_that_was_cancelled
    a_barrier_fires_when_a_missed_deadline_ends_the_last_child
    a_checkpoint_that_meets_the_end_of_its_attempt_does_not_outlive_it
}

/// t0 a transaction has ended one child and holds the barrier, not committed · t1 the last child ends · t2 it commits.
pub(crate) async fn last_children_that_end_unseen_by_each_other_fire_the_barrier(world: World) {
    let family = Family::of(&world, 2).await;
    let claim = world.claim(family.node, 1).await.pop().expect("claimed");
    let other = family.children.iter().find(|child| **child != claim.job).expect("there are two");
    let last = world.settle(claim, completed());
    let mut first = connect(&world).await;
    let ended = "SET state = 'cancelled', finalized_at = now()";
    let holds = "SELECT FROM flyball.barriers FOR UPDATE";
    run(&mut first, format!("BEGIN; UPDATE flyball.jobs {ended} WHERE id = '{other}'; {holds}")).await;
    let answered = Cell::new(false);
    let end = async {
        world.finalize(&last).await;
        answered.set(true);
    };
    let commit = async {
        waits_for_a_lock_or(&world, &answered).await;
        run(&mut first, "COMMIT").await;
    };
    tokio::join!(end, commit);
    family.assert_fired(&world).await;
}

/// One of two children has ended, and the other is about to.
async fn almost_ended(world: &World) -> (Family, JobId, Settlement) {
    let family = Family::of(world, 2).await;
    let mut claims = world.claim(family.node, 2).await;
    let (first, last) = (claims.remove(0), claims.remove(0));
    let discarded = first.job;
    world.end(first, failed(ErrorClass::Permanent)).await;
    (family, discarded, world.settle(last, completed()))
}

/// t0 a retry or a replay has made a child available, not committed · t1 the last of the others ends · t2 it commits.
pub(crate) async fn a_retry_that_meets_the_end_of_the_last_child_is_waited_for(world: World) {
    // Whoever keeps the answer of an order waits for the test.
    let wait = "CREATE FUNCTION flyball.wait() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN new; END'; \
                CREATE TRIGGER wait BEFORE UPDATE ON flyball.operator_actions FOR EACH ROW \
                EXECUTE FUNCTION flyball.wait()";
    world.sql(wait).await;
    let mut gate = connect(&world).await;
    for operation in [Operation::Retry, Operation::Replay(Replay::default())] {
        let (family, discarded, last) = almost_ended(&world).await;
        run(&mut gate, "SELECT pg_advisory_lock(7)").await;
        let (ordered, ended) = (Cell::new(false), Cell::new(false));
        let order = async {
            let order = order(operation, world.now());
            let answers = world.store.order(&order, &[discarded], world.now()).await;
            assert_eq!(answers.expect("carried out"), [AVAILABLE]);
            ordered.set(true);
        };
        let end = async {
            waits_for_locks_or(&world, 1, &ordered).await;
            world.finalize(&last).await;
            ended.set(true);
        };
        let commit = async {
            waits_for_locks_or(&world, 2, &ended).await;
            run(&mut gate, "SELECT pg_advisory_unlock(7)").await;
        };
        tokio::join!(order, end, commit);
        family.assert_waits(&world).await;
        let again = world.claim(family.node, 1).await.pop().expect("it is tried again");
        assert_eq!(again.job, discarded);
        world.end(again, completed()).await;
        family.assert_fired(&world).await;
        cancel(&world, family.continuation).await;
    }
}

/// t0 a transaction has fired the barrier, not committed · t1 a child is tried again · t2 it commits: nobody was told
/// before that the child goes on.
pub(crate) async fn a_retry_waits_for_the_barrier_that_fires(world: World) {
    let (family, discarded, _) = almost_ended(&world).await;
    let mut fires = connect(&world).await;
    run(&mut fires, format!("BEGIN; DELETE FROM flyball.barriers WHERE run_id = '{}'", family.run)).await;
    let answered = Cell::new(false);
    let retry = async {
        let answers = world.store.order(&retrying(world.now()), &[discarded], world.now()).await;
        answered.set(true);
        assert_eq!(answers.expect("carried out"), [AVAILABLE]);
    };
    let commit = async {
        waits_for_a_lock_or(&world, &answered).await;
        assert!(!answered.get(), "a retry overtook the barrier that fires");
        run(&mut fires, "COMMIT").await;
    };
    tokio::join!(retry, commit);
}

async fn a_barrier_fires_when_a_renewal_gives_back_the_last_child_that_was_cancelled(world: World) {
    let family = Family::of(&world, 1).await;
    let claim = world.claim(family.node, 1).await.pop().expect("claimed");
    cancel(&world, claim.job).await;
    // The node does not know of it: the answer to its claim was lost.
    let compared = world.compare(&world.renewal(family.node, &[])).await;
    assert_eq!(compared.released, [claim.job]);
    assert_eq!(world.state(claim.job).await, JobState::Cancelled);
    family.assert_fired(&world).await;
}

async fn a_barrier_fires_when_a_missed_deadline_ends_the_last_child(world: World) {
    let family = Family::of(&world, 1).await;
    let child = family.children[0];
    world.sql(&format!("UPDATE flyball.jobs SET max_attempts = 1 WHERE id = '{child}'")).await;
    let claim = world.claim(family.node, 1).await.pop().expect("claimed");
    world.live(30, &[(family.node, &[claim.run])]).await;
    let swept = world.store.sweep(&world.sweep(family.node), world.now()).await.expect("swept");
    assert_eq!(swept.reclaimed.len(), 1, "{swept:?}");
    assert_eq!(world.state(child).await, JobState::Discarded);
    family.assert_fired(&world).await;
}

/// t0 a settle has ended the attempt, not committed · t1 its checkpoint comes · t2 the settle commits.
pub(crate) async fn a_checkpoint_that_meets_the_end_of_its_attempt_does_not_outlive_it(world: World) {
    let (_, claim) = world.running().await;
    let mut settle = connect(&world).await;
    let ended = "SET state = 'succeeded', finalized_at = now(), node_id = NULL, lease_token = NULL, deadline_at = NULL";
    run(&mut settle, format!("BEGIN; UPDATE flyball.jobs {ended} WHERE id = '{}'", claim.job)).await;
    let answered = Cell::new(false);
    let save = async {
        let save = CheckpointSave { job: claim.job, run: claim.run, number: 1, data: [1].into() };
        world.store.save_checkpoint(&save, world.now()).await.expect("ignored, or saved");
        answered.set(true);
    };
    let commit = async {
        waits_for_a_lock_or(&world, &answered).await;
        run(&mut settle, "COMMIT").await;
    };
    tokio::join!(save, commit);
    let stored = world.store.checkpoint(claim.job).await.expect("read");
    assert_eq!(stored, None, "a checkpoint outlived its job");
}

const ROUNDS: usize = 25;
const FAMILIES: usize = 40;

/// One child of each family is ended by each of four roads at once, every one from a process of its own.
async fn the_barrier_fires_exactly_once_whoever_ends_the_last_children_a_thousand_times(world: World) {
    let stores = [world.other().await, world.other().await, world.other().await];
    let begun = flyball_tests::ambient::instant();
    let mut families = Vec::new();
    for _ in 0..ROUNDS {
        families.extend(round(&world, &stores).await);
    }
    for family in &families {
        family.assert_fired(&world).await;
    }
    let mut look = connect(&world).await;
    let fired: (i64, i64) = sqlx::query_as(
        "SELECT count(*), (SELECT count(*) FROM flyball.barriers) FROM flyball.jobs WHERE continues_run_id IS NOT NULL",
    )
    .fetch_one(&mut look)
    .await
    .expect("counted");
    println!("{} barriers fired once each, in {:?}; left over: {}", fired.0, begun.elapsed(), fired.1);
    assert_eq!(fired, (i64::try_from(ROUNDS * FAMILIES).expect("small"), 0));
    for store in stores {
        store.close().await;
    }
}

async fn round(world: &World, stores: &[SharedStore; 3]) -> Vec<Family> {
    let node = world.node().await;
    world.insert(FAMILIES).await;
    let mut families = Vec::new();
    for claim in world.claim(node, FAMILIES).await {
        families.push(Family::grow(world, node, claim, 4).await);
    }
    let (dies, sweeper, waiting) = let_one_of_each_run_on_a_node_that_dies(world, &families).await;
    let mut claims = world.claim(sweeper, FAMILIES * 2).await;
    assert_eq!(claims.len(), FAMILIES * 2);
    let discarded = claims.split_off(FAMILIES);
    let settle = |claims: Vec<Claim>, verdict: fn() -> flyball::job::Verdict| {
        claims.into_iter().map(|claim| world.settle(claim, verdict())).collect::<Vec<_>>()
    };
    let (succeeded, discarded) =
        (settle(claims, completed), settle(discarded, || failed(ErrorClass::Permanent)));
    let finalize = async |store: &SharedStore, ends: Vec<Settlement>| {
        join_all(ends.chunks(3).map(|part| store.finalize(part, world.now()))).await
    };
    let cancel = async || {
        join_all(waiting.chunks(3).map(async |jobs| {
            let order = cancelling(world.now());
            stores[2].order(&order, jobs, world.now()).await
        }))
        .await
    };
    let sweep = world.sweep(sweeper);
    let (first, second, cancelled, swept) = tokio::join!(
        finalize(&stores[0], succeeded),
        finalize(&stores[1], discarded),
        cancel(),
        world.store.sweep(&sweep, world.now())
    );
    first.into_iter().chain(second).for_each(|settled| drop(settled.expect("finalized")));
    cancelled.into_iter().for_each(|cancelled| drop(cancelled.expect("cancelled")));
    let swept = swept.expect("swept");
    assert!(swept.errors.is_empty() && swept.lost_nodes.contains(&dies), "{swept:?}");
    assert_eq!(swept.reclaimed.len(), FAMILIES);
    // What was enqueued is not in the way of the next round.
    let out =
        "UPDATE flyball.jobs SET state = 'paused' WHERE continues_run_id IS NOT NULL AND state = 'available'";
    world.sql(out).await;
    families
}

/// One child of each family runs on a node whose lease has passed, with a cancel that the sweep will carry out; another
/// is set aside to be cancelled while it waits. Answers that node, one that sweeps, and those set aside.
async fn let_one_of_each_run_on_a_node_that_dies(
    world: &World,
    families: &[Family],
) -> (NodeId, NodeId, Vec<JobId>) {
    let ids = |nth: usize| families.iter().map(|family| family.children[nth]).collect::<Vec<_>>();
    let quoted = |ids: &[JobId]| ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let (runs, waiting) = (ids(0), ids(1));
    world.sql(&format!("UPDATE flyball.jobs SET priority = 1 WHERE id IN ({})", quoted(&runs))).await;
    world.sql(&format!("UPDATE flyball.jobs SET state = 'paused' WHERE id IN ({})", quoted(&waiting))).await;
    // The node of the round is done; this one takes what is first in line, and is heard of no more.
    world.store.leave(families[0].node, world.now()).await.expect("left");
    let dies = world.node().await;
    assert_eq!(world.claim(dies, FAMILIES).await.len(), FAMILIES);
    world.store.order(&cancelling(world.now()), &runs, world.now()).await.expect("asked");
    world.clock.advance(LEASE / 3);
    let sweeper = world.node().await;
    world.live(4, &[(sweeper, &[])]).await;
    (dies, sweeper, waiting)
}

//! Two that do the same at once, in transactions that do not see each other: add a schedule, fire one that was just run,
//! delete what is just retried. PostgreSQL only, where there is more than one writer.

use std::cell::Cell;

use flyball::job::{Barriers, ErrorClass, JobId, JobState, Operation, Remains};
use flyball::store::probe::Edit;
use flyball::store::{Doom, Fired, PruneStep, Pruned, ScheduleKept, ScheduleRan, SharedStore};
use flyball::timing::{Origin, Overlap, Schedule};
use sqlx::PgConnection;

use crate::barriers::Family;
use crate::leases::{connect, on_postgres, run, waits_for_a_lock_or};
use crate::retention::{is_there, walk};
use crate::schedules::{keep, order, record, schedule, slug};
use crate::world::{AVAILABLE, World, completed, failed, retrying};
use crate::{limits, world};

on_postgres! {
    a_permit_that_another_gives_at_the_same_moment_is_not_given_twice
    a_schedule_that_two_add_at_once_keeps_how_far_the_first_has_come
    a_schedule_that_an_operator_adds_meanwhile_is_left_to_the_operator
    a_schedule_that_another_node_adds_meanwhile_goes_out_of_service_with_its_file
    a_schedule_that_was_run_a_moment_ago_overlaps_with_nothing
    a_job_that_is_retried_as_it_is_found_does_not_go
    a_continuation_that_is_retried_as_its_children_are_found_keeps_them
}

/// Another operator adds a schedule that has come on already, and has not committed.
async fn add_unseen(world: &World) -> PgConnection {
    let mut other = connect(world).await;
    let sql = "BEGIN; INSERT INTO flyball.schedules (slug, kind, args, queue, priority, every_ms, origin, next_at, \
               last_job_id, created_at, updated_at) VALUES ('both', 'work', '{\"a\":1}', 'default', 100, 10000, \
               'operator', '2030-01-01', '00000000-0000-7000-8000-000000000001', '2020-01-01', '2020-01-01')";
    run(&mut other, sql).await;
    other
}

/// Does `own`, and `then` once that waits for a lock, or has been answered without.
async fn as_it_waits<T>(world: &World, own: impl Future<Output = T>, then: impl Future<Output = ()>) -> T {
    let answered = Cell::new(false);
    let own = async {
        let done = own.await;
        answered.set(true);
        done
    };
    let then = async {
        waits_for_a_lock_or(world, &answered).await;
        then.await;
    };
    tokio::join!(own, then).0
}

/// Does `own` while the other has not committed; the other does, when this one waits for it.
async fn meet<T>(world: &World, other: &mut PgConnection, own: impl Future<Output = T>, end: &str) -> T {
    as_it_waits(world, own, run(other, end)).await
}

/// t0 one operator has added it, not committed · t1 another adds it, and finds no row · t2 the first commits.
pub(crate) async fn a_schedule_that_two_add_at_once_keeps_how_far_the_first_has_come(world: World) {
    let mut first = add_unseen(&world).await;
    let mut both = schedule("both", "@every 10s");
    both.job.priority = 7;
    let kept = meet(&world, &mut first, keep(&world, &both), "COMMIT").await;
    let row = record(&world, "both").await;
    assert_eq!(
        row.next_at.map(|at| at.to_string()),
        Some("2030-01-01T00:00:00.000000Z".into()),
        "the cursor was lost"
    );
    assert!(row.last_job_id.is_some(), "the last job was forgotten");
    assert_eq!((kept, row.priority), (ScheduleKept::Changed, 7));
    // One that is given up leaves nothing behind.
    world.sql("DELETE FROM flyball.schedules").await;
    let mut first = add_unseen(&world).await;
    assert_eq!(meet(&world, &mut first, keep(&world, &both), "ROLLBACK").await, ScheduleKept::Added);
    assert_eq!(record(&world, "both").await.last_job_id, None);
}

/// t0 an operator has added it, not committed · t1 a node has one of this name in its file · t2 the operator commits.
pub(crate) async fn a_schedule_that_an_operator_adds_meanwhile_is_left_to_the_operator(world: World) {
    let mut operator = add_unseen(&world).await;
    let file = [schedule("both", "@every 1h"), schedule("other", "@every 1h")];
    let reconciled = world.store.reconcile_schedules(&file, world.now());
    let reconciled = meet(&world, &mut operator, reconciled, "COMMIT").await.expect("reconciled");
    let row = record(&world, "both").await;
    assert_eq!((row.origin, row.every_ms), (Origin::Operator, Some(10_000)), "a file took it over");
    assert_eq!((reconciled.of_operators, reconciled.added), (vec![slug("both")], vec![slug("other")]));
}

/// t0 a node adds the schedule of an old file, not committed · t1 one with a new file compares · t2 the first commits.
pub(crate) async fn a_schedule_that_another_node_adds_meanwhile_goes_out_of_service_with_its_file(
    world: World,
) {
    let mut first = connect(&world).await;
    run(&mut first, "BEGIN").await;
    run(&mut first, &world.statement("schedules_turn")).await;
    run(
        &mut first,
        "INSERT INTO flyball.schedules (slug, kind, args, queue, priority, every_ms, origin, next_at, created_at, \
         updated_at) VALUES ('old', 'work', '{}', 'default', 100, 10000, 'config', '2030-01-01', '2020-01-01', \
         '2020-01-01')",
    )
    .await;
    let file = [schedule("new", "@every 1h")];
    let reconciled = world.store.reconcile_schedules(&file, world.now());
    let reconciled = meet(&world, &mut first, reconciled, "COMMIT").await.expect("reconciled");
    assert_eq!(reconciled.deactivated, [slug("old")], "no file has it any more");
    assert!(!record(&world, "old").await.active);
}

/// What makes a statement wait, which sees what was committed before it, until nobody holds this lock.
const WAITS: &str = "(SELECT pg_advisory_xact_lock_shared(4711)) IS NOT NULL AND ";

/// Another process, one of whose statements waits there.
async fn slow(world: &World, statement: &'static str, condition: &'static str) -> SharedStore {
    let to = String::leak(format!("{WAITS}{condition}"));
    world.other_edited(&[Edit { statement, from: condition, to }]).await
}

/// t0 a node looks at a due schedule, and is held up · t1 an operator runs it · t2 the node goes on.
pub(crate) async fn a_schedule_that_was_run_a_moment_ago_overlaps_with_nothing(world: World) {
    keep(&world, &Schedule { overlap: Overlap::Skip, ..schedule("alone", "@every 10s") }).await;
    world.advance(10);
    let slow = slow(&world, "schedule_take", "s.active AND").await;
    let ran = async {
        let (order, alone) = (order(world.now()), slug("alone"));
        let ran = world.store.run_schedule(&order, &alone, world.now()).await.expect("run");
        assert!(matches!(ran, ScheduleRan::Enqueued(_)), "{ran:?}");
    };
    let (slug, now) = (slug("alone"), world.now());
    let fired = overtake(&world, slow.fire(&slug, now), ran).await.expect("fired");
    assert_eq!(fired, Fired::Moved { jobs: vec![], skipped: 1 }, "two jobs of one schedule overlap");
    slow.close().await;
}

/// Does `own`, one of whose statements waits; meanwhile `first` is done.
async fn overtake<T>(world: &World, own: impl Future<Output = T>, first: impl Future<Output = ()>) -> T {
    let mut holder = connect(world).await;
    run(&mut holder, "SELECT pg_advisory_lock(4711)").await;
    let then = async {
        first.await;
        run(&mut holder, "SELECT pg_advisory_unlock(4711)").await;
    };
    as_it_waits(world, own, then).await
}

/// t0 retention finds what is old · t1 an operator retries one of these · t2 retention goes on.
async fn prune_while_it_is_retried(world: &World, remains: Remains, retried: JobId) -> Pruned {
    world.advance(10);
    let slow = slow(world, "prune_find", "j.finalized_at < $4").await;
    let step = PruneStep::of(walk(remains, 5), Doom::Delete);
    let retry = async {
        let answers = world.store.order(&retrying(world.now()), &[retried], world.now()).await;
        assert_eq!(answers.expect("retried"), [AVAILABLE]);
    };
    let pruned = overtake(world, slow.prune(&step, world.now()), retry).await.expect("pruned");
    slow.close().await;
    pruned
}

pub(crate) async fn a_job_that_is_retried_as_it_is_found_does_not_go(world: World) {
    let (node, claim) = world.running().await;
    let retried = claim.job;
    world.end(claim, failed(ErrorClass::Permanent)).await;
    world.insert(1).await;
    let claim = world.claim(node, 1).await.pop().expect("claimed");
    let goes = claim.job;
    world.end(claim, failed(ErrorClass::Permanent)).await;
    let pruned = prune_while_it_is_retried(&world, Remains::Discarded, retried).await;
    assert!(is_there(&world, retried).await, "a job went that was retried");
    assert_eq!((pruned.jobs, is_there(&world, goes).await), (1, false));
    assert_eq!(world.state(retried).await, JobState::Available);
    assert_eq!(world.claim(node, 1).await.len(), 1, "it runs again");
}

pub(crate) async fn a_continuation_that_is_retried_as_its_children_are_found_keeps_them(world: World) {
    let family = Family::of(&world, 2).await;
    for claim in world.claim(family.node, 2).await {
        world.end(claim, completed()).await;
    }
    let claim = world.claim(family.node, 1).await.pop().expect("it fired");
    assert_eq!(claim.job, family.continuation);
    world.end(claim, failed(ErrorClass::Permanent)).await;
    prune_while_it_is_retried(&world, Remains::Succeeded, family.continuation).await;
    for child in &family.children {
        assert!(is_there(&world, *child).await, "a child of a continuation went");
    }
}

/// t0 one node has let a job through, and not committed · t1 another looks at the same line · t2 the first commits.
pub(crate) async fn a_permit_that_another_gives_at_the_same_moment_is_not_given_twice(world: World) {
    limits::set(&world, &limits::limit("tenant")).await;
    let node = world.node().await;
    limits::of_tenant(&world, "a").await;
    let claim = world.claim(node, 1).await.pop().expect("claimed");
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(limits::of_tenant(&world, "a").await);
    }
    // The one that had the permit is gone, and nobody has looked yet.
    world.put(&[claim.job], JobState::Succeeded).await;
    let mut other = connect(&world).await;
    let first = waiting[0];
    run(&mut other, "BEGIN").await;
    run(&mut other, "SELECT key FROM flyball.limit_keys FOR UPDATE").await;
    run(&mut other, &format!("UPDATE flyball.jobs SET blocked_by = NULL WHERE id = '{first}'")).await;
    let order = world::order(Operation::Cancel(Barriers::Drop), world.now());
    let cancel = async { world.store.order(&order, &waiting[2..], world.now()).await.expect("ordered") };
    meet(&world, &mut other, cancel, "COMMIT").await;
    let lines = world.store.limit_lines(&limits::limit("tenant").name, 10).await.expect("read");
    assert_eq!((lines[0].permits, lines[0].blocked), (1, 1), "two have the one permit");
}

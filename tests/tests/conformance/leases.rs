//! The lease, exactly: schedules of events that an inexact reading would break. PostgreSQL only, where there are leases.

use std::cell::Cell;
use std::time::Duration;

use flyball::job::{Backoff, ErrorClass, JobState, Outcome, RunId, SettledBy, Timestamp};
use flyball::store::{Database, KindDefaults, PublishedKind, Settled, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::world::{LEASE, World, completed, options};

/// Each promise, on PostgreSQL.
macro_rules! on_postgres {
    ($($name:ident)+) => {
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                if let Some(world) = $crate::world::World::new(flyball::store::Database::Postgres).await {
                    super::$name(world).await;
                }
            })+
        }
    };
}

pub(crate) use on_postgres;

on_postgres! {
    a_claim_that_overtakes_a_renewal_is_not_taken_for_unknown
    no_claim_commits_after_its_node_was_marked_lost
    what_another_claim_has_is_passed_over_and_not_waited_for
    a_claim_under_way_makes_the_sweep_leave_its_node_for_the_next_time
    one_node_that_is_held_up_holds_up_no_other
    a_node_that_was_away_itself_does_not_judge_others
    an_outage_shorter_than_a_lease_charges_nobody
    a_stepped_clock_charges_nobody
    a_clock_that_was_set_back_leaves_no_lease_far_ahead
    what_runs_for_a_node_without_a_row_is_taken_back
    a_missed_deadline_ends_the_attempt_by_the_kinds_own_retries
    a_deadline_waits_for_a_node_that_has_outcomes_to_write
    an_outcome_and_a_sweep_that_meet_move_the_job_once
    a_repeated_claim_that_meets_its_first_try_takes_the_same_jobs
    a_cancel_that_meets_an_outcome_waits_for_it
    nothing_is_swept_or_promoted_by_a_clock_that_is_off
}

pub(crate) async fn connect(world: &World) -> PgConnection {
    PgConnection::connect(&world.url).await.expect("connected")
}

pub(crate) async fn run(connection: &mut PgConnection, sql: impl Into<String>) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.into()))).await.expect("SQL");
}

/// t0 the node gathers what it holds: nothing · t1 it claims · t2 the claim commits · t3 the renewal is carried out.
pub(crate) async fn a_claim_that_overtakes_a_renewal_is_not_taken_for_unknown(world: World) {
    let node = world.node().await;
    world.insert(1).await;
    world.advance(5);
    let gathered = world.renewal(node, &[]);
    world.clock.advance(Duration::from_millis(10));
    let claim = world.claim(node, 1).await.pop().expect("claimed");
    let renewed = world.compare(&gathered).await;
    assert!(renewed.released.is_empty(), "a claim that overtook the renewal was released");
    assert_eq!(world.read(claim.job).await.lease_token, Some(claim.run));
}

/// t0 the sweep has the node's row · t1 the claim waits for it · t2 the sweep marks the node lost and commits.
pub(crate) async fn no_claim_commits_after_its_node_was_marked_lost(world: World) {
    let node = world.node().await;
    let job = world.insert(1).await[0];
    let mut sweep = connect(&world).await;
    run(&mut sweep, format!("BEGIN; SELECT FROM flyball.nodes WHERE id = '{node}' FOR UPDATE")).await;
    let (request, answered) = (world.request(node, 1), Cell::new(false));
    let claim = async {
        let claimed = world.store.claim(&request, world.now()).await;
        answered.set(true);
        claimed
    };
    let mark = async {
        waits_for_a_lock_or(&world, &answered).await;
        run(&mut sweep, format!("UPDATE flyball.nodes SET lost_at = now() WHERE id = '{node}'; COMMIT"))
            .await;
    };
    let (claimed, ()) = tokio::join!(claim, mark);
    assert!(matches!(claimed, Err(StoreError::NodeLost)), "a claim slipped past the mark: {claimed:?}");
    assert_eq!(world.state(job).await, JobState::Available, "a claim slipped past the mark");
}

/// Until somebody waits for a lock, or has not had to.
pub(crate) async fn waits_for_a_lock_or(world: &World, answered: &Cell<bool>) {
    waits_for_locks_or(world, 1, answered).await;
}

/// Until so many wait for locks, or who is looked for has not had to.
pub(crate) async fn waits_for_locks_or(world: &World, many: i64, answered: &Cell<bool>) {
    let mut look = connect(world).await;
    flyball_tests::eventually(flyball_tests::GENEROUS, "somebody to wait for a lock", async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .fetch_one(&mut look)
        .await?;
        Ok::<_, sqlx::Error>((waiting >= many || answered.get()).then_some(()))
    })
    .await
    .expect("somebody waits");
}

/// t0 another claim has the first two jobs, not committed · t1 this one asks for two: it must take the next.
pub(crate) async fn what_another_claim_has_is_passed_over_and_not_waited_for(world: World) {
    let node = world.node().await;
    let jobs = world.insert(4).await;
    let mut sorted = jobs.clone();
    sorted.sort_unstable();
    let mut other = connect(&world).await;
    let first = format!("'{}', '{}'", sorted[0], sorted[1]);
    run(&mut other, format!("BEGIN; SELECT FROM flyball.jobs WHERE id IN ({first}) FOR UPDATE")).await;
    let claimed = world.store.claim(&world.request(node, 2), world.now()).await;
    let claimed = claimed.unwrap_or_else(|error| panic!("a claim waited for another: {error}"));
    let taken: Vec<_> = claimed.claims.iter().map(|claim| claim.job).collect();
    assert_eq!(taken, sorted[2..]);
    run(&mut other, "ROLLBACK").await;
    assert_eq!(world.claim(node, 9).await.len(), 2);
}

/// t0 a claim holds the node's row FOR KEY SHARE · t1 the sweep finds its lease passed. It must not wait, nor mark it.
pub(crate) async fn a_claim_under_way_makes_the_sweep_leave_its_node_for_the_next_time(world: World) {
    let (node, sweeper) = (world.node().await, world.node().await);
    world.live(4, &[(sweeper, &[])]).await;
    let mut claim = connect(&world).await;
    run(&mut claim, format!("BEGIN; SELECT FROM flyball.nodes WHERE id = '{node}' FOR KEY SHARE")).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert!(swept.errors.is_empty(), "a sweep waited for a claim: {swept:?}");
    assert!(swept.lost_nodes.is_empty(), "{swept:?}");
    run(&mut claim, "ROLLBACK").await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!(swept.lost_nodes, [node]);
}

async fn one_node_that_is_held_up_holds_up_no_other(world: World) {
    let (held, dead, sweeper) = (world.node().await, world.node().await, world.node().await);
    world.insert(1).await;
    let claim = world.claim(dead, 1).await.pop().expect("claimed");
    world.live(4, &[(sweeper, &[])]).await;
    let mut holder = connect(&world).await;
    run(&mut holder, format!("BEGIN; SELECT FROM flyball.nodes WHERE id = '{held}' FOR UPDATE")).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!(swept.lost_nodes, [dead]);
    assert_eq!(swept.reclaimed[0].run, claim.run);
}

pub(crate) async fn a_node_that_was_away_itself_does_not_judge_others(world: World) {
    let (node, claim) = world.running().await;
    let sweeper = world.node().await;
    // Everything stood still for two leases: the sweeper comes back first.
    world.clock.advance(LEASE * 2);
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("asked");
    assert!(swept.lost_nodes.is_empty(), "before its own renewal: {swept:?}");
    let mut renewal = world.renewal(sweeper, &[]);
    renewal.elapsed = LEASE * 2;
    world.store.renew(&renewal, world.now()).await.expect("renewed");
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("asked");
    assert!(swept.lost_nodes.is_empty(), "a sweeper that was away judged: {swept:?}");
    // The other comes back, late as it is, and nothing was taken from it.
    let mut renewal = world.renewal(node, &[claim.run]);
    renewal.elapsed = LEASE * 2;
    assert!(world.compare(&renewal).await.lost.is_empty());
    assert!(matches!(world.end(claim, completed()).await, Settled::Advanced { .. }));
}

/// t0 the other renews · t4.9 the sweeper renews, and the database goes · t15.1 it is back. The other's lease has passed
/// by then, the sweeper's has not; yet nobody but the database was away.
pub(crate) async fn an_outage_shorter_than_a_lease_charges_nobody(world: World) {
    let (other, claim) = world.running().await;
    let sweeper = world.node().await;
    world.live(4, &[(sweeper, &[]), (other, &[claim.run])]).await;
    world.clock.advance(Duration::from_millis(4900));
    let mut renewal = world.renewal(sweeper, &[]);
    renewal.elapsed = Duration::from_millis(4900);
    world.store.renew(&renewal, world.now()).await.expect("renewed");
    world.clock.advance(Duration::from_millis(10_200));
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("asked");
    assert!(swept.lost_nodes.is_empty(), "before its own renewal: {swept:?}");
    renewal.elapsed = Duration::from_millis(10_200);
    world.store.renew(&renewal, world.now()).await.expect("renewed");
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("asked");
    assert!(swept.lost_nodes.is_empty(), "an outage was charged to a node: {swept:?}");
    // The sweep is back when all have had a lease's time to renew.
    world.live(4, &[(sweeper, &[])]).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("asked");
    assert_eq!(swept.lost_nodes, [other]);
}

/// The database's clock goes forward by an hour between two renewals of a node whose own clock does not.
pub(crate) async fn a_stepped_clock_charges_nobody(world: World) {
    let (node, claim) = world.running().await;
    let sweeper = world.node().await;
    world.live(4, &[(sweeper, &[]), (node, &[claim.run])]).await;
    world.clock.advance(Duration::from_secs(3600));
    for id in [sweeper, node] {
        let held = if id == node { vec![claim.run] } else { Vec::new() };
        let mut renewal = world.renewal(id, &held);
        renewal.elapsed = LEASE / 3;
        world.store.renew(&renewal, world.now()).await.expect("renewed");
    }
    let deadline = world.read(claim.job).await.deadline_at.expect("running");
    let stepped = claim.deadline_at.after(Duration::from_secs(3600) - LEASE / 3);
    assert_eq!(deadline, stepped, "its deadline went with the clock");
    // Long after: the sweeper is steady again.
    world.live(4, &[(sweeper, &[]), (node, &[claim.run])]).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert!(swept.lost_nodes.is_empty() && swept.reclaimed.is_empty(), "{swept:?}");
}

async fn a_clock_that_was_set_back_leaves_no_lease_far_ahead(world: World) {
    let (dead, sweeper) = (world.node().await, world.node().await);
    world
        .sql(&format!(
            "UPDATE flyball.nodes SET expires_at = expires_at + interval '1 day' WHERE id = '{dead}'"
        ))
        .await;
    world.live(4, &[(sweeper, &[])]).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert!(swept.lost_nodes.is_empty(), "cut to a lease from now");
    world.live(4, &[(sweeper, &[])]).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!(swept.lost_nodes, [dead]);
}

async fn what_runs_for_a_node_without_a_row_is_taken_back(world: World) {
    let (node, claim) = world.running().await;
    world.sql(&format!("DELETE FROM flyball.nodes WHERE id = '{node}'")).await;
    let sweeper = world.node().await;
    world.live(3, &[(sweeper, &[])]).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!(swept.reclaimed[0].run, claim.run);
    assert_eq!(world.state(claim.job).await, JobState::Retryable);
}

async fn publish(world: &World, node: flyball::job::NodeId, max_attempts: u32) {
    let backoff = Backoff { base: Duration::from_secs(40), cap: Duration::from_secs(40) };
    let defaults = KindDefaults { max_attempts, timeout_ms: 60_000, fuel: 1, memory_bytes: 1, backoff };
    let kind = PublishedKind {
        kind: crate::world::kind("work"),
        digest: "d".into(),
        summary: String::new(),
        args_schema: None,
        defaults,
    };
    world.store.publish(node, &[kind], world.now()).await.expect("published");
}

/// The node renews, so it lives; but the attempt is long past its deadline and its grace.
async fn a_missed_deadline_ends_the_attempt_by_the_kinds_own_retries(world: World) {
    let (node, claim) = world.running().await;
    publish(&world, node, 2).await;
    world.live(24, &[(node, &[claim.run])]).await;
    let swept = world.store.sweep(&world.sweep(node), world.now()).await.expect("swept");
    assert!(swept.reclaimed.is_empty(), "121 s after the claim: the grace of 60 s has not passed");
    world.live(1, &[(node, &[claim.run])]).await;
    let swept = world.store.sweep(&world.sweep(node), world.now()).await.expect("swept");
    assert_eq!((swept.reclaimed[0].run, swept.reclaimed[0].outcome), (claim.run, Outcome::Timeout));
    let read = world.read(claim.job).await;
    assert_eq!((read.state, read.failures, read.crashes), (JobState::Retryable, 1, 0), "charged");
    let delay = read.scheduled_at.since(world.now());
    assert!(
        delay >= Duration::from_secs(30) && delay < Duration::from_secs(50),
        "40 s, give or take: {delay:?}"
    );
    let run = world.run(claim.job).await;
    assert_eq!((run.outcome, run.settled_by), (Outcome::Timeout, Some(SettledBy::Sweep)));
    assert_eq!(run.error_class, Some(ErrorClass::Timeout));
    // The owner is told at its next renewal, and its late word changes nothing.
    assert_eq!(world.compare(&world.renewal(node, &[claim.run])).await.lost, [claim.run]);
}

async fn a_deadline_waits_for_a_node_that_has_outcomes_to_write(world: World) {
    let (node, claim) = world.running().await;
    for _ in 0..30 {
        world.clock.advance(LEASE / 3);
        let mut renewal = world.renewal(node, &[claim.run]);
        renewal.unwritten = vec![claim.run];
        world.store.renew(&renewal, world.now()).await.expect("renewed");
    }
    let swept = world.store.sweep(&world.sweep(node), world.now()).await.expect("swept");
    assert!(swept.reclaimed.is_empty(), "{swept:?}");
    assert!(matches!(world.end(claim, completed()).await, Settled::Advanced { .. }));
}

/// t0 an owner's finalize has locked its job · t1 the sweep, which has marked the node, wants it too.
pub(crate) async fn an_outcome_and_a_sweep_that_meet_move_the_job_once(world: World) {
    let (node, claim) = world.running().await;
    let sweeper = world.node().await;
    world.live(4, &[(sweeper, &[])]).await;
    let mut owner = connect(&world).await;
    let job = claim.job;
    run(
        &mut owner,
        format!(
            "BEGIN; UPDATE flyball.jobs SET state = 'succeeded', finalized_at = now(), node_id = NULL, \
             lease_token = NULL, deadline_at = NULL WHERE id = '{job}' AND lease_token = '{}'; \
             UPDATE flyball.job_runs SET outcome = 'success', settled_by = 'owner', finished_at = now() \
             WHERE id = '{}'",
            claim.run, claim.run
        ),
    )
    .await;
    let (request, answered) = (world.sweep(sweeper), Cell::new(false));
    let sweep = async {
        let swept = world.store.sweep(&request, world.now()).await;
        answered.set(true);
        swept
    };
    let commit = async {
        waits_for_a_lock_or(&world, &answered).await;
        run(&mut owner, "COMMIT").await;
    };
    let (swept, ()) = tokio::join!(sweep, commit);
    let swept = swept.expect("swept");
    assert_eq!(
        (swept.lost_nodes, swept.reclaimed.len()),
        (vec![node], 0),
        "the sweep moved a job that had ended"
    );
    let read = world.read(job).await;
    assert_eq!((read.state, read.crashes), (JobState::Succeeded, 0), "the sweep moved a job that had ended");
    assert_eq!(world.run(job).await.outcome, Outcome::Success);
}

/// t0 a claim is sent, and its answer is lost while the server still works on it · t1 it is sent again.
async fn a_repeated_claim_that_meets_its_first_try_takes_the_same_jobs(world: World) {
    let node = world.node().await;
    world.insert(40).await;
    let request = world.request(node, 10);
    let other = world.other().await;
    let (first, again) =
        tokio::join!(world.store.claim(&request, world.now()), other.claim(&request, world.now()));
    let pairs = |claims: &[flyball::job::Claim]| claims.iter().map(|c| (c.run, c.job)).collect::<Vec<_>>();
    let (first, again) = (first.expect("claimed"), again.expect("claimed"));
    assert_eq!(first.claims.len(), 10);
    assert_eq!(pairs(&first.claims), pairs(&again.claims));
    let states = world.store.overview(world.now()).await.expect("counted").states;
    assert_eq!(states[&JobState::Running], 10);
    other.close().await;
}

/// t0 an operator's cancel has asked, not committed · t1 the owner's retry is settled: it must see the cancel.
pub(crate) async fn a_cancel_that_meets_an_outcome_waits_for_it(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    let settlement = world.settle(claim, crate::world::failed(ErrorClass::Transient));
    let mut operator = connect(&world).await;
    run(
        &mut operator,
        format!("BEGIN; UPDATE flyball.jobs SET cancel_requested_at = now() WHERE id = '{job}'"),
    )
    .await;
    let answered = Cell::new(false);
    let commit = async {
        waits_for_a_lock_or(&world, &answered).await;
        run(&mut operator, "COMMIT").await;
    };
    let finalize = async {
        let settled = world.finalize(&settlement).await;
        answered.set(true);
        settled
    };
    let (settled, ()) = tokio::join!(finalize, commit);
    assert!(matches!(settled, Settled::Advanced { state: JobState::Cancelled, .. }), "{settled:?}");
    assert_eq!(world.state(job).await, JobState::Cancelled);
}

async fn nothing_is_swept_or_promoted_by_a_clock_that_is_off(world: World) {
    let clock = flyball::clock::Clock::system();
    let options = flyball::store::OpenOptions { clock: clock.clone(), ..options(&world.clock) };
    let store = flyball::store::open(&world.url, &options).await.expect("opened");
    let now = store.time().await.expect("asked");
    assert!(store.promote(9, now).await.is_ok());
    for off in [now.after(Duration::from_secs(5)), now.before(Duration::from_secs(5))] {
        let promoted = store.promote(9, off).await;
        assert!(matches!(promoted, Err(StoreError::Clock { .. })), "{promoted:?}");
        let swept = store.sweep(&world.sweep(world.node().await), off).await;
        assert!(matches!(swept, Err(StoreError::Clock { .. })), "{swept:?}");
    }
    assert_eq!((world.database, Timestamp::EPOCH.micros()), (Database::Postgres, 0));
    // Leases are counted by the database's clock, whatever the node's says.
    let node = flyball::job::NodeId::mint(now);
    let wrong = now.after(Duration::from_secs(99_999));
    let new = flyball::store::NewNode {
        id: node,
        name: "off".into(),
        pid: 1,
        version: "0".into(),
        concurrency: 1,
        serves: flyball::job::Json::empty_object(),
        lease: LEASE,
        retention: None,
    };
    let registered =
        store.register(&new, &flyball::job::LossPolicy::default(), wrong).await.expect("entered");
    assert!(registered.database_time.expect("told").since(now) < Duration::from_secs(60));
    let renewed = store.renew(&world.renewal(node, &[RunId::mint(now)]), wrong).await.expect("renewed");
    assert!(renewed.database_time.since(now) < Duration::from_secs(60));
    store.close().await;
}

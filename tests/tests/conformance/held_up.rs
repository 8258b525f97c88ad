//! What somebody else holds costs nobody more than itself: rows are passed over that another transaction has.
//! PostgreSQL only, where rows are locked.

use std::cell::Cell;
use std::time::Duration;

use flyball::job::{JobId, JobState, NodeId, Outcome, Queue, RunId};
use flyball::store::{Activity, CheckpointSave, QueueRoom, Queues};
use sqlx::PgConnection;

use crate::leases::{connect, on_postgres, run, waits_for_a_lock_or};
use crate::world::{LEASE, World, completed};

on_postgres! {
    a_renewal_passes_over_the_jobs_that_others_hold
    a_maintenance_lease_that_is_held_up_holds_up_no_renewal
    a_job_that_is_held_up_holds_up_no_sweep
    a_missed_deadline_that_is_held_up_holds_up_no_other
    a_sweep_goes_on_past_what_fails_and_tells_of_it
    a_lease_far_ahead_that_is_held_up_holds_up_no_sweep
    a_job_that_is_held_up_keeps_no_other_of_a_node_that_leaves
    a_claim_under_way_gives_back_what_it_takes_when_its_node_leaves
    a_claim_that_meets_others_keeps_to_the_room_of_each_queue
    reads_of_guests_that_are_held_up_hold_up_no_claim_and_no_outcome
}

/// Somebody who holds the rows of these jobs until told to `ROLLBACK`.
async fn holder(world: &World, jobs: &[JobId]) -> PgConnection {
    let mut holder = connect(world).await;
    let ids = jobs.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    run(&mut holder, format!("BEGIN; SELECT FROM flyball.jobs WHERE id IN ({ids}) FOR UPDATE")).await;
    holder
}

pub(crate) async fn a_renewal_passes_over_the_jobs_that_others_hold(world: World) {
    let node = world.node().await;
    world.insert(3).await;
    let claims = world.claim(node, 3).await;
    let [held, free, unknown] = claims.as_slice() else { panic!("{claims:?}") };
    // Long after their deadlines, with outcomes that wait to be stored.
    world.live(30, &[(node, &[held.run, free.run, unknown.run])]).await;
    let mut holder = holder(&world, &[held.job, unknown.job]).await;
    world.advance(5);
    let mut renewal = world.renewal(node, &[held.run, free.run]);
    renewal.unwritten = vec![held.run, free.run];
    let renewed = world.store.renew(&renewal, world.now()).await;
    renewed.unwrap_or_else(|error| panic!("a renewal waited for a job that another holds: {error}"));
    let deadline = async |job| world.read(job).await.deadline_at.expect("running");
    assert_eq!(deadline(free.job).await, world.now(), "what is free is extended");
    assert_eq!(deadline(held.job).await, held.deadline_at);
    assert_eq!(world.state(unknown.job).await, JobState::Running);
    // The next renewal finds them free.
    run(&mut holder, "ROLLBACK").await;
    world.store.renew(&renewal, world.now()).await.expect("renewed");
    assert_eq!(deadline(held.job).await, world.now());
    assert_eq!(world.state(unknown.job).await, JobState::Available);
}

async fn a_maintenance_lease_that_is_held_up_holds_up_no_renewal(world: World) {
    let node = world.node().await;
    let activity = Activity { name: "sweep", node, lease: LEASE };
    assert!(world.store.hold(&activity, world.now()).await.expect("asked"));
    let mut holder = connect(&world).await;
    run(&mut holder, "BEGIN; SELECT FROM flyball.maintenance FOR UPDATE").await;
    let answered = Cell::new(false);
    let hold = async {
        let held = world.store.hold(&activity, world.now()).await;
        answered.set(true);
        held
    };
    let renew = async {
        waits_for_a_lock_or(&world, &answered).await;
        let renewed = world.store.renew(&world.renewal(node, &[]), world.now()).await;
        run(&mut holder, "ROLLBACK").await;
        renewed
    };
    let (held, renewed) = tokio::join!(hold, renew);
    renewed.expect("a renewal waited for a maintenance lease");
    assert!(held.expect("asked"));
}

/// So many jobs, claimed by a node of their own.
async fn running(world: &World, count: usize) -> (NodeId, Vec<(JobId, RunId)>) {
    let node = world.node().await;
    world.insert(count).await;
    let claims = world.claim(node, count).await;
    (node, claims.into_iter().map(|claim| (claim.job, claim.run)).collect())
}

pub(crate) async fn a_job_that_is_held_up_holds_up_no_sweep(world: World) {
    let (first, ran_first) = running(&world, 2).await;
    world.clock.advance(Duration::from_millis(5));
    let (second, ran_second) = running(&world, 1).await;
    let sweeper = world.node().await;
    world.live(4, &[(sweeper, &[])]).await;
    let mut holder = holder(&world, &[ran_first[0].0]).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await;
    let swept = swept.expect("swept");
    assert!(swept.errors.is_empty(), "a sweep was held up: {swept:?}");
    assert_eq!(swept.lost_nodes, [first, second]);
    let runs: Vec<_> = swept.reclaimed.iter().map(|reclaimed| reclaimed.run).collect();
    assert_eq!(runs, [ran_first[1].1, ran_second[0].1]);
    // The next sweep finds it free, though its node was marked before.
    run(&mut holder, "ROLLBACK").await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!((swept.lost_nodes.len(), swept.reclaimed[0].run), (0, ran_first[0].1));
    assert_eq!(swept.reclaimed[0].outcome, Outcome::Crashed);
}

pub(crate) async fn a_missed_deadline_that_is_held_up_holds_up_no_other(world: World) {
    let (node, ran) = running(&world, 2).await;
    let runs: Vec<_> = ran.iter().map(|(_, run)| *run).collect();
    world.live(26, &[(node, &runs)]).await;
    let mut holder = holder(&world, &[ran[0].0]).await;
    let swept = world.store.sweep(&world.sweep(node), world.now()).await;
    let swept = swept.expect("swept");
    assert!(swept.errors.is_empty(), "a sweep was held up: {swept:?}");
    let ended: Vec<_> = swept.reclaimed.iter().map(|reclaimed| reclaimed.run).collect();
    assert_eq!(ended, runs[1..]);
    run(&mut holder, "ROLLBACK").await;
    let swept = world.store.sweep(&world.sweep(node), world.now()).await.expect("swept");
    assert_eq!((swept.reclaimed[0].run, swept.reclaimed[0].outcome), (runs[0], Outcome::Timeout));
}

/// A job that the database lets nobody move, whoever asks.
async fn a_sweep_goes_on_past_what_fails_and_tells_of_it(world: World) {
    let (first, ran_first) = running(&world, 1).await;
    world.clock.advance(Duration::from_millis(5));
    let (second, ran_second) = running(&world, 1).await;
    let sweeper = world.node().await;
    world.live(4, &[(sweeper, &[])]).await;
    let refuse = format!(
        "CREATE FUNCTION flyball.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; \
         CREATE TRIGGER no BEFORE UPDATE ON flyball.jobs FOR EACH ROW WHEN (old.id = '{}') \
         EXECUTE FUNCTION flyball.no()",
        ran_first[0].0
    );
    world.sql(&refuse).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!((swept.lost_nodes, swept.reclaimed[0].run), (vec![second], ran_second[0].1));
    assert_eq!(swept.errors.len(), 1, "{:?}", swept.errors);
    world.sql("DROP TRIGGER no ON flyball.jobs").await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
    assert_eq!((swept.lost_nodes, swept.reclaimed[0].run), (vec![first], ran_first[0].1));
}

pub(crate) async fn a_lease_far_ahead_that_is_held_up_holds_up_no_sweep(world: World) {
    let (ahead, dead, sweeper) = (world.node().await, world.node().await, world.node().await);
    world.live(4, &[(sweeper, &[])]).await;
    let far =
        format!("UPDATE flyball.nodes SET expires_at = expires_at + interval '1 day' WHERE id = '{ahead}'");
    world.sql(&far).await;
    let mut holder = connect(&world).await;
    run(&mut holder, format!("BEGIN; SELECT FROM flyball.nodes WHERE id = '{ahead}' FOR UPDATE")).await;
    let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await;
    let swept = swept.unwrap_or_else(|error| panic!("a sweep was held up: {error}"));
    assert_eq!(swept.lost_nodes, [dead]);
}

async fn a_job_that_is_held_up_keeps_no_other_of_a_node_that_leaves(world: World) {
    let (node, ran) = running(&world, 2).await;
    let mut holder = holder(&world, &[ran[0].0]).await;
    let left = world.store.leave(node, world.now()).await;
    assert!(left.is_err(), "it holds one still: {left:?}");
    assert_eq!(world.state(ran[1].0).await, JobState::Available);
    assert!(world.store.nodes().await.expect("read")[0].left_at.is_some());
    run(&mut holder, "ROLLBACK").await;
    world.store.leave(node, world.now()).await.expect("asked again");
    assert_eq!(world.state(ran[0].0).await, JobState::Available);
    assert_eq!(world.run(ran[0].0).await.outcome, Outcome::Released);
}

/// t0 a claim of the node has its row FOR KEY SHARE, and a job · t1 the node leaves · t2 the claim commits.
pub(crate) async fn a_claim_under_way_gives_back_what_it_takes_when_its_node_leaves(world: World) {
    let node = world.node().await;
    let job = world.insert(1).await[0];
    let token = RunId::mint(world.now());
    let mut claim = connect(&world).await;
    run(
        &mut claim,
        format!(
            "BEGIN; SELECT FROM flyball.nodes WHERE id = '{node}' AND lost_at IS NULL FOR KEY SHARE; \
             UPDATE flyball.jobs SET state = 'running', attempt = 1, node_id = '{node}', \
             lease_token = '{token}', deadline_at = now() WHERE id = '{job}'; \
             INSERT INTO flyball.job_runs (id, job_id, attempt, node_id, started_at, outcome) \
             VALUES ('{token}', '{job}', 1, '{node}', now(), 'started')"
        ),
    )
    .await;
    let answered = Cell::new(false);
    let leave = async {
        let left = world.store.leave(node, world.now()).await;
        answered.set(true);
        left
    };
    let commit = async {
        waits_for_a_lock_or(&world, &answered).await;
        run(&mut claim, "COMMIT").await;
    };
    let (left, ()) = tokio::join!(leave, commit);
    left.expect("left");
    assert_eq!(world.state(job).await, JobState::Available, "a claim slipped past the leaving");
    assert_eq!(world.run(job).await.outcome, Outcome::Released);
}

/// Another has one job of `b`, so the claim finds fewer than it wanted and looks again: `a` has room for two in all.
async fn a_claim_that_meets_others_keeps_to_the_room_of_each_queue(world: World) {
    let queue = |name| Queue::new(name).expect("a queue");
    for _ in 0..8 {
        world.insert_one(|opts| opts.queue = queue("a")).await;
    }
    let held = world.insert_one(|opts| opts.queue = queue("b")).await;
    let node = world.node().await;
    let _holder = holder(&world, &[held]).await;
    let mut request = world.request(node, 9);
    let room = |name, room| QueueRoom { queue: queue(name), room };
    request.queues = Queues::Only(vec![room("a", 2), room("b", 9)]);
    assert_eq!(world.take(&request).await.len(), 2, "a queue's room was exceeded");
}

/// Whoever reads a checkpoint waits for the test; there is one connection for claims and outcomes, and many who read.
async fn reads_of_guests_that_are_held_up_hold_up_no_claim_and_no_outcome(world: World) {
    let store = world.other_with(|options| options.connections = 1).await;
    let (node, claim) = world.running().await;
    let save = CheckpointSave { job: claim.job, run: claim.run, number: 0, data: [1].into() };
    world.store.save_checkpoint(&save, world.now()).await.expect("saved");
    world
        .sql(
            "CREATE FUNCTION flyball.wait() RETURNS boolean LANGUAGE plpgsql AS \
             'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN true; END'; \
             ALTER TABLE flyball.checkpoints RENAME TO kept; \
             CREATE VIEW flyball.checkpoints AS SELECT k.* FROM flyball.kept k WHERE flyball.wait()",
        )
        .await;
    let job = world.insert(1).await[0];
    let mut gate = connect(&world).await;
    run(&mut gate, "SELECT pg_advisory_lock(7)").await;
    let answered = Cell::new(false);
    let reads = async {
        futures::future::join_all((0..8).map(async |_| drop(store.checkpoint(claim.job).await))).await;
        answered.set(true);
    };
    let neighbour = async {
        waits_for_a_lock_or(&world, &answered).await;
        let claimed = store.claim(&world.request(node, 1), world.now()).await;
        let claimed = claimed.unwrap_or_else(|error| panic!("a claim waited for what guests read: {error}"));
        let ended = claimed.claims.into_iter().map(|claim| world.settle(claim, completed()));
        let ended: Vec<_> = ended.collect();
        store.finalize(&ended, world.now()).await.expect("an outcome waited for what guests read");
        run(&mut gate, "SELECT pg_advisory_unlock(7)").await;
    };
    tokio::join!(reads, neighbour);
    assert_eq!(world.state(job).await, JobState::Succeeded);
    assert!(store.checkpoint(claim.job).await.expect("read").is_some());
    store.close().await;
}

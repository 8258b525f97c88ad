//! What another program wrote, or a newer binary: carried on where it is only carried, and where it can't be read, the
//! fault of one job and no other.

use flyball::job::{ErrorClass, ExecutorClass, JobId, JobState, Outcome, Queue, Verdict};
use flyball::store::{Classes, Database, JobFilter, Settled};

use crate::world::{World, completed, failed, promises};

promises! {
    names_that_no_rule_allows_are_carried_on
    a_job_that_cannot_be_read_is_failed_and_costs_no_other
    what_cannot_be_read_is_in_nobodys_way_when_its_node_is_lost
    an_end_that_cannot_be_read_costs_no_other_outcome
}

async fn set(world: &World, job: JobId, set: &str) {
    world.sql(&format!("UPDATE flyball.jobs SET {set} WHERE id = '{job}'")).await;
}

async fn names_that_no_rule_allows_are_carried_on(world: World) {
    let jobs = world.insert(2).await;
    set(&world, jobs[0], "queue = 'Mail', executor_class = 'G P U', tags = '[\"\\u0001\"]'").await;
    set(&world, jobs[1], "tags = '{\"a\": 5}'").await;
    let lanes = world.store.overview(world.now()).await.expect("an odd lane is counted").lanes;
    assert_eq!(lanes.iter().filter(|lane| lane.queue == Queue::stored("Mail")).count(), 1);
    let all = JobFilter { limit: 9, ..JobFilter::default() };
    assert_eq!(world.store.page(&all).await.expect("odd jobs are listed").jobs.len(), 2);
    let node = world.node().await;
    let mut request = world.request(node, 9);
    request.classes = Classes::Every;
    let mut claims = world.take(&request).await;
    claims.sort_by_key(|claim| claim.job);
    let mut jobs = jobs;
    jobs.sort_unstable();
    assert_eq!(claims.iter().map(|claim| claim.job).collect::<Vec<_>>(), jobs);
    let odd = claims.iter().find(|claim| claim.queue.as_str() == "Mail").expect("carried on");
    assert_eq!((&odd.executor_class, odd.tags[0].as_str()), (&ExecutorClass::stored("G P U"), "\u{1}"));
    for claim in claims {
        assert!(matches!(world.end(claim, completed()).await, Settled::Advanced { .. }));
    }
}

async fn a_job_that_cannot_be_read_is_failed_and_costs_no_other(world: World) {
    let jobs = world.insert(4).await;
    set(&world, jobs[1], "depth = -1").await;
    if world.database == Database::Sqlite {
        set(&world, jobs[2], "args = '{'").await;
    }
    let node = world.node().await;
    let claimed =
        world.store.claim(&world.request(node, 9), world.now()).await.expect("the others are claimed");
    let broken: &[JobId] = if world.database == Database::Sqlite { &jobs[1..3] } else { &jobs[1..2] };
    assert_eq!(claimed.claims.len() + broken.len(), 4);
    assert!(claimed.claims.iter().all(|claim| !broken.contains(&claim.job)));
    for job in broken {
        let run = world.run(*job).await;
        assert_eq!((run.outcome, run.error_class), (Outcome::Error, Some(ErrorClass::Validation)));
        let message = run.error_message.expect("it says why");
        assert!(message.starts_with("the job could not be read: "), "{message}");
    }
    let states = world.store.overview(world.now()).await.unwrap().states;
    assert_eq!(states[&JobState::Discarded], broken.len() as u64);
    // What can't be shown is left out of a page, and what is no JSON is shown as text.
    let all = JobFilter { limit: 9, ..JobFilter::default() };
    let listed = world.store.page(&all).await.expect("the others are listed").jobs;
    assert_eq!(listed.len(), 3);
    serde_json::to_string(&listed).expect("printed");
}

/// On SQLite it is the next start that takes back, and it must not fail.
async fn what_cannot_be_read_is_in_nobodys_way_when_its_node_is_lost(world: World) {
    let node = world.node().await;
    world.insert(3).await;
    let claims = world.claim(node, 3).await;
    set(&world, claims[0].job, "queue = 'Mail'").await;
    set(&world, claims[1].job, "failures = -1").await;
    let runs: Vec<_> = claims.iter().map(|claim| claim.run).collect();
    world.live(1, &[(node, &runs)]).await;
    assert!(world.compare(&world.renewal(node, &runs)).await.lost.is_empty());
    let reclaimed = match world.database {
        Database::Sqlite => world.register(flyball::job::NodeId::mint(world.now())).await.reclaimed,
        Database::Postgres => {
            let sweeper = world.node().await;
            world.live(4, &[(sweeper, &[])]).await;
            let swept = world.store.sweep(&world.sweep(sweeper), world.now()).await.expect("swept");
            assert!(swept.errors.is_empty(), "{swept:?}");
            swept.reclaimed
        }
    };
    let mut taken: Vec<_> = reclaimed.iter().map(|reclaimed| reclaimed.run).collect();
    taken.sort_unstable();
    let mut expected = vec![runs[0], runs[2]];
    expected.sort_unstable();
    assert_eq!(taken, expected);
}

/// A newer binary has settled it, in a word of its own.
async fn an_end_that_cannot_be_read_costs_no_other_outcome(world: World) {
    let node = world.node().await;
    world.insert(3).await;
    let claims = world.claim(node, 3).await;
    let verdicts = [completed(), failed(ErrorClass::Transient), Verdict::Stopped];
    let batch: Vec<_> =
        claims.into_iter().zip(verdicts).map(|(claim, verdict)| world.settle(claim, verdict)).collect();
    world.finalize(&batch[0]).await;
    world.finalize(&batch[1]).await;
    world
        .sql(&format!("UPDATE flyball.job_runs SET settled_by = 'archive' WHERE id = '{}'", batch[0].run))
        .await;
    let settled = world.store.finalize(&batch, world.now()).await.expect("the others are stored");
    assert_eq!(settled[0], Settled::Superseded);
    assert!(matches!(settled[1], Settled::Advanced { state: JobState::Retryable, .. }), "{settled:?}");
    assert!(matches!(settled[2], Settled::Advanced { state: JobState::Cancelled, .. }), "{settled:?}");
}

//! Orders for all jobs of a selection, and what an order does to each state.

use std::time::Duration;

use flyball::ClientError;
use flyball::job::{
    ActionId, Barriers, Due, ErrorClass, Force, JobState, Key, Operation, Priority, Replay, When,
};
use flyball::store::{Answer, Scope, Selection, SelectionError, StoreError, Tally};

use crate::world::{World, cancelling, completed, failed, kind, order, promises};

promises! {
    an_order_moves_the_states_that_it_says_and_no_others
    a_pause_sets_aside_what_waits_and_never_what_runs
    a_resume_makes_available_what_is_due_and_schedules_what_is_not
    a_replay_begins_anew_but_for_the_attempt
    a_replay_skips_taken_keys_and_the_rest_go_on
    a_staggered_replay_is_spread_over_its_time
    an_interrupted_order_goes_on_under_its_id_and_does_nothing_twice
    a_repeated_order_for_a_selection_takes_nothing_that_came_later
    a_dry_run_says_how_many_and_changes_nothing
    an_order_that_nothing_restricts_is_refused_unless_it_is_meant
    a_job_that_moved_on_before_its_turn_is_left_alone
    a_cancel_of_children_drops_the_barrier_unless_it_is_to_fire
}

fn operations() -> Vec<Operation> {
    let minute = Duration::from_secs(60);
    vec![
        Operation::Pause,
        Operation::Resume,
        Operation::Cancel(Barriers::Drop),
        Operation::Retry,
        Operation::Replay(Replay { force: Force::Never, stagger: None }),
        Operation::Replay(Replay { force: Force::Succeeded, stagger: None }),
        Operation::Reprioritise(Priority::default()),
        Operation::Reschedule(Due::In(minute)),
        Operation::Delete,
    ]
}

async fn an_order_moves_the_states_that_it_says_and_no_others(world: World) {
    for operation in operations() {
        for state in JobState::ALL {
            let job = world.insert(1).await;
            world.put(&job, *state).await;
            let answers = world.store.order(&order(operation, world.now()), &job, world.now()).await;
            let answer = answers.expect("carried out")[0];
            let expected = match (operation.moves(*state), state) {
                (false, state) => Answer::Left { state: *state },
                (true, JobState::Running) => Answer::Requested,
                (true, _) if operation == Operation::Delete => Answer::Deleted,
                (true, _) => Answer::Moved { state: world.state(job[0]).await },
            };
            assert_eq!(answer, expected, "{operation:?} of {state}");
            let stays = !operation.moves(*state) || *state == JobState::Running;
            let same = match operation {
                Operation::Retry => *state == JobState::Available,
                Operation::Reprioritise(_) => true,
                Operation::Reschedule(_) => *state != JobState::Available,
                Operation::Pause
                | Operation::Resume
                | Operation::Cancel(_)
                | Operation::Replay(_)
                | Operation::Delete => false,
            };
            let read = world.store.state(job[0]).await.unwrap();
            assert_eq!(read == Some(*state), stays || same, "{operation:?} of {state}");
        }
    }
}

async fn a_pause_sets_aside_what_waits_and_never_what_runs(world: World) {
    let (node, claim) = world.running().await;
    let mut waiting = world.insert(2).await;
    waiting.push(world.insert_one(|opts| opts.when = When::In(Duration::from_secs(60))).await);
    world.insert_one(|opts| opts.kind = kind("other")).await;
    let work = Selection::kind(kind("work"));
    let done = world.client().operate_all(Operation::Pause, &work, Scope::Restricted).await.unwrap();
    assert_eq!(done, moved(JobState::Paused, 3));
    assert_eq!(world.state(claim.job).await, JobState::Running, "a pause touched a running job");
    assert!(world.claim(node, 9).await.is_empty(), "what is set aside is not claimed");
    world.advance(3600);
    assert_eq!(world.store.promote(100, world.now()).await.unwrap().count, 0, "nor promoted");
    // Its outcome is taken as if nothing had been.
    let job = claim.job;
    world.end(claim, completed()).await;
    assert_eq!(world.state(job).await, JobState::Succeeded);
}

async fn a_resume_makes_available_what_is_due_and_schedules_what_is_not(world: World) {
    let due = world.insert(1).await[0];
    let node = world.node().await;
    let retryable = world.insert(1).await[0];
    for claim in world.claim(node, 2).await {
        let verdict = if claim.job == retryable { failed(ErrorClass::Transient) } else { completed() };
        world.end(claim, verdict).await;
    }
    let due = [due, world.insert(1).await[0]][1];
    let later = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(60))).await;
    let all = [due, later, retryable];
    let pause = order(Operation::Pause, world.now());
    world.store.order(&pause, &all, world.now()).await.unwrap();
    let (paused, scheduled) = (world.read(later).await, world.read(retryable).await.scheduled_at);
    assert_eq!(paused.state, JobState::Paused);
    let selection = Selection::kind(kind("work"));
    let done = world.client().operate_all(Operation::Resume, &selection, Scope::Restricted).await.unwrap();
    assert_eq!((done.moved[&JobState::Available], done.moved[&JobState::Scheduled]), (1, 2));
    assert_eq!(world.state(due).await, JobState::Available, "what is due goes on at once");
    let read = world.read(later).await;
    assert_eq!((read.state, read.scheduled_at), (JobState::Scheduled, paused.scheduled_at));
    let read = world.read(retryable).await;
    assert_eq!((read.state, read.scheduled_at, read.failures), (JobState::Scheduled, scheduled, 1));
    world.advance(61);
    assert_eq!(world.store.promote(100, world.now()).await.unwrap().count, 2, "and is promoted in time");
}

async fn a_replay_begins_anew_but_for_the_attempt(world: World) {
    let node = world.node().await;
    let job = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, failed(ErrorClass::Permanent)).await;
    let succeeded = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, completed()).await;
    world.sql("UPDATE flyball.jobs SET crashes = 2, releases = 3, snoozes = 4").await;
    world.advance(5);
    let work = Selection::kind(kind("work"));
    let client = world.client();
    let done = client.operate_all(Operation::Replay(Replay::default()), &work, Scope::Restricted).await;
    assert_eq!(done.unwrap(), moved(JobState::Available, 1), "what succeeded is not run again");
    let read = world.read(job).await;
    assert_eq!((read.state, read.scheduled_at), (JobState::Available, world.now()));
    assert_eq!((read.failures, read.crashes, read.releases, read.snoozes), (0, 0, 0, 0));
    assert_eq!((read.attempt, read.finalized_at), (1, None), "the attempt is never rewound");
    let forced = Operation::Replay(Replay { force: Force::Succeeded, stagger: None });
    let both = work.in_states([JobState::Succeeded, JobState::Discarded]);
    let refused = client.operate_all(Operation::Replay(Replay::default()), &both, Scope::Restricted).await;
    let refused = refused.expect_err("it must be forced").to_string();
    assert_eq!(refused, "a replay does not move jobs that are succeeded, unless it is forced (--force)");
    let done = client.operate_all(forced, &both, Scope::Restricted).await.unwrap();
    assert_eq!(done, moved(JobState::Available, 1));
    assert_eq!(world.state(succeeded).await, JobState::Available);
}

pub(crate) async fn a_replay_skips_taken_keys_and_the_rest_go_on(world: World) {
    let keyed = |key: &str| world.job(|opts| opts.unique_active_key = Some(Key::new(key).unwrap()));
    let mut ended = Vec::new();
    for key in ["held", "free", "free"] {
        let job = keyed(key);
        world.store.insert(std::slice::from_ref(&job)).await.unwrap();
        world.store.order(&cancelling(world.now()), &[job.id], world.now()).await.unwrap();
        ended.push(job.id);
    }
    let plain = world.insert(1).await;
    world.put(&plain, JobState::Discarded).await;
    let holder = keyed("held");
    world.store.insert(std::slice::from_ref(&holder)).await.unwrap();
    let ended_ones = Selection::kind(kind("work")).in_states([JobState::Cancelled, JobState::Discarded]);
    let replay = Operation::Replay(Replay::default());
    let done = world.client().operate_all(replay, &ended_ones, Scope::Restricted).await;
    let done = done.unwrap_or_else(|error| panic!("the rest go on: {error}"));
    assert_eq!(done.moved[&JobState::Available], 2, "the rest go on: {done:?}");
    let mut taken: Vec<_> = done.keys_taken.iter().map(|taken| (taken.id, taken.holder)).collect();
    taken.sort_unstable();
    let (first, second) = (ended[1].min(ended[2]), ended[1].max(ended[2]));
    let mut expected = vec![(ended[0], holder.id), (second, first)];
    expected.sort_unstable();
    assert_eq!(taken, expected, "of two with one key the first goes on");
}

async fn a_staggered_replay_is_spread_over_its_time(world: World) {
    let jobs = world.insert(60).await;
    world.put(&jobs, JobState::Discarded).await;
    let minute = Duration::from_secs(60);
    let replay = Operation::Replay(Replay { stagger: Some(minute), ..Replay::default() });
    let work = Selection::kind(kind("work"));
    let done = world.client().operate_all(replay, &work, Scope::Restricted).await.unwrap();
    assert_eq!(done, moved(JobState::Scheduled, 60));
    let mut due = Vec::new();
    for job in &jobs {
        due.push(world.read(*job).await.scheduled_at.since(world.now()));
    }
    assert!(due.iter().all(|due| *due < minute));
    let halves = due.iter().filter(|due| **due < minute / 2).count();
    assert!((10..50).contains(&halves), "{halves} of 60 in the first half");
    let first = world.store.promote(100, world.now()).await.unwrap();
    assert!(first.count < 10, "{} at once", first.count);
    world.advance(60);
    world.store.promote(100, world.now()).await.unwrap();
    let states = world.store.overview(world.now()).await.unwrap().states;
    assert_eq!(states[&JobState::Available], 60);
}

pub(crate) async fn an_interrupted_order_goes_on_under_its_id_and_does_nothing_twice(world: World) {
    let jobs = world.insert(2500).await;
    let (client, now) = (world.client(), world.now());
    let first = order(Operation::Pause, now);
    let work = Selection::kind(kind("work")).for_order(first.operation, Scope::Restricted).unwrap();
    let step = world.store.order_next(&first, &work, None, now).await.unwrap();
    assert_eq!((step.tally.changed(), step.next.is_some()), (1000, true), "a batch is bounded");
    // The caller is gone. Somebody lets go on what was set aside, and more comes in.
    world
        .client()
        .operate_all(Operation::Resume, &work.clone().in_states([]), Scope::Restricted)
        .await
        .unwrap();
    world.advance(1);
    world.insert(10).await;
    let again = async |selection| {
        client.operate_all_as(first.action, Operation::Pause, &selection, Scope::Restricted).await
    };
    let done = again(Selection::kind(kind("work"))).await.unwrap();
    let states = world.store.overview(now).await.unwrap().states;
    assert_eq!(states[&JobState::Paused], 1500, "the first batch is not done twice");
    assert_eq!(done, moved(JobState::Paused, 2500), "it answers for all of it");
    assert_eq!(states[&JobState::Available], 1010);
    let refused = again(Selection::children(jobs[0])).await.expect_err("one id is one order");
    let ClientError::Interrupted { source: StoreError::OtherOrder { .. }, .. } = refused else {
        panic!("{refused}");
    };
}

async fn a_repeated_order_for_a_selection_takes_nothing_that_came_later(world: World) {
    world.insert(3).await;
    let (client, action) = (world.client(), ActionId::mint(world.now()));
    let work = Selection::kind(kind("work"));
    let cancel = Operation::Cancel(Barriers::Drop);
    let done = client.operate_all_as(action, cancel, &work, Scope::Restricted).await.unwrap();
    world.advance(1);
    let later = world.insert(2).await;
    let again = client.operate_all_as(action, cancel, &work, Scope::Restricted).await.unwrap();
    assert_eq!((again, done), (moved(JobState::Cancelled, 3), moved(JobState::Cancelled, 3)));
    assert_eq!(world.state(later[0]).await, JobState::Available, "a repeat took what came later");
}

async fn a_dry_run_says_how_many_and_changes_nothing(world: World) {
    let jobs = world.insert(5).await;
    world.put(&jobs[..2], JobState::Discarded).await;
    world.put(&jobs[2..3], JobState::Retryable).await;
    let work = Selection::kind(kind("work"));
    let before = world.store.overview(world.now()).await.unwrap().states;
    let survey = world.client().survey(Operation::Retry, &work, Scope::Restricted).await.unwrap();
    assert_eq!(survey.into_iter().collect::<Vec<_>>(), [(JobState::Retryable, 1), (JobState::Discarded, 2)]);
    let named = Selection::ids(jobs.clone());
    let survey = world.client().survey(Operation::Retry, &named, Scope::Restricted).await.unwrap();
    assert_eq!(survey.values().sum::<u64>(), 5, "all that are named are told of");
    assert_eq!(world.store.overview(world.now()).await.unwrap().states, before);
}

async fn an_order_that_nothing_restricts_is_refused_unless_it_is_meant(world: World) {
    world.insert(2).await;
    let (client, cancel) = (world.client(), Operation::Cancel(Barriers::Drop));
    let everything = Selection::default();
    let refused = client.operate_all(cancel, &everything, Scope::Restricted).await;
    assert!(matches!(refused, Err(ClientError::Selection(SelectionError::Unbounded("cancel")))));
    let refused = client.survey(cancel, &everything, Scope::Restricted).await;
    assert!(refused.is_err(), "nor is it rehearsed");
    let done = client.operate_all(cancel, &everything, Scope::Everything).await.unwrap();
    assert_eq!(done, moved(JobState::Cancelled, 2));
}

async fn a_job_that_moved_on_before_its_turn_is_left_alone(world: World) {
    let jobs = world.insert(2).await;
    world.put(&jobs[..1], JobState::Running).await;
    let waiting = Selection::ids(jobs.clone()).in_states([JobState::Available, JobState::Running]);
    let mut selection = waiting.clone();
    selection.states = vec![JobState::Available];
    let cancel = cancelling(world.now());
    // Found by ids alone, as if it had begun to run between the search and the lock.
    let step = world.store.order_next(&cancel, &selection, None, world.now()).await.unwrap();
    assert_eq!(step.tally, moved(JobState::Cancelled, 1));
    assert_eq!(world.read(jobs[0]).await.cancel_requested_at, None);
}

async fn a_cancel_of_children_drops_the_barrier_unless_it_is_to_fire(world: World) {
    let node = world.node().await;
    for (barriers, left) in [(Barriers::Drop, false), (Barriers::Fire, true)] {
        let parent = world.insert(1).await[0];
        let run = world.claim(node, 1).await.pop().unwrap().run;
        let children = world.insert(2).await;
        let ids: Vec<_> = children.iter().map(|child| format!("'{child}'")).collect();
        let ids = ids.join(", ");
        let at = world.time(world.now());
        // One more child runs, so that the barrier can't fire yet.
        let running = world.insert(1).await;
        world.put(&running, JobState::Running).await;
        world
            .sql(&format!(
                "UPDATE flyball.jobs SET parent_id = '{parent}', parent_run_id = '{run}' WHERE id IN ({ids}, '{}');
                 INSERT INTO flyball.barriers (run_id, job_id, continuation, created_at)
                 VALUES ('{run}', '{parent}', '{{}}', {at})",
                running[0]
            ))
            .await;
        let of_parent = Selection::children(parent);
        let done =
            world.client().operate_all(Operation::Cancel(barriers), &of_parent, Scope::Restricted).await;
        let done = done.unwrap();
        assert_eq!((done.moved[&JobState::Cancelled], done.requested), (2, 1));
        assert_eq!(barrier(&world, run.to_string()).await, left, "{barriers:?}");
    }
}

async fn barrier(world: &World, run: String) -> bool {
    use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
    let sql = format!("SELECT count(*) AS n FROM flyball.barriers WHERE run_id = '{run}'");
    let count: i64 = match world.database {
        flyball::store::Database::Sqlite => {
            let sql = AssertSqlSafe(sql.replace("flyball.", ""));
            sqlx::query(sql).fetch_one(&mut world.sqlite().await).await.unwrap().get("n")
        }
        flyball::store::Database::Postgres => {
            let mut connection = PgConnection::connect(&world.url).await.unwrap();
            sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap().get("n")
        }
    };
    count > 0
}

fn moved(state: JobState, count: u64) -> Tally {
    let mut tally = Tally::default();
    tally.moved.insert(state, count);
    tally
}

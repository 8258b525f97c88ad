//! What an operator deletes: what has ended, whole, and never what something still needs.

use flyball::event::Event;
use flyball::job::{ErrorClass, JobId, JobState, Key, Kind, Operation, Verdict};
use flyball::store::{Answer, Database, LogPart, Need, Scope, Selection};

use crate::retention::{ended, family, is_there, log};
use crate::world::{World, cancelling, failed, kind, left, order, promises};

promises! {
    what_has_ended_is_deleted_with_its_runs_logs_and_checkpoint
    what_has_not_ended_is_not_deleted
    what_a_barrier_still_needs_is_not_deleted
    what_a_continuation_still_needs_is_not_deleted
    the_keys_of_what_was_deleted_are_free
    a_repeated_deletion_answers_what_was_recorded
    more_logs_than_one_transaction_deletes_go_before_their_jobs
    a_selection_of_what_has_ended_is_deleted_and_counted
    a_deletion_is_told
}

const DELETED: Answer = Answer::Deleted;

async fn delete(world: &World, jobs: &[JobId]) -> Vec<Answer> {
    let order = order(Operation::Delete, world.now());
    world.store.order(&order, jobs, world.now()).await.expect("carried out")
}

async fn what_has_ended_is_deleted_with_its_runs_logs_and_checkpoint(world: World) {
    let jobs = ended(&world, 3).await;
    let run = world.run(jobs[0]).await.id;
    log(&world, run, 5).await;
    let (data, at) = match world.database {
        Database::Sqlite => ("x'00'", "1"),
        Database::Postgres => ("'\\x00'", "now()"),
    };
    let job = jobs[0];
    world.sql(&format!("INSERT INTO flyball.checkpoints VALUES ('{job}', '{run}', 1, {data}, {at})")).await;
    let nobody = JobId::mint(world.now());
    assert_eq!(delete(&world, &[jobs[0], nobody, jobs[1]]).await, [DELETED, Answer::NotFound, DELETED]);
    assert!(!is_there(&world, job).await && !is_there(&world, jobs[1]).await);
    assert!(world.store.runs(job).await.unwrap().is_empty());
    assert!(world.store.log(run, LogPart::ALL).await.unwrap().is_empty());
    assert!(world.store.checkpoint(job).await.unwrap().is_none());
    assert!(is_there(&world, jobs[2]).await && !world.store.runs(jobs[2]).await.unwrap().is_empty());
}

async fn what_has_not_ended_is_not_deleted(world: World) {
    for state in [JobState::Available, JobState::Running, JobState::Retryable, JobState::Paused] {
        let jobs = world.insert(1).await;
        world.put(&jobs, state).await;
        assert_eq!(delete(&world, &jobs).await, [left(state)]);
        assert_eq!(world.state(jobs[0]).await, state);
    }
}

pub(crate) async fn what_a_barrier_still_needs_is_not_deleted(world: World) {
    let (parent, children, run) = family(&world).await;
    let at = if world.database == Database::Sqlite { "1" } else { "now()" };
    world.sql(&format!("INSERT INTO flyball.barriers VALUES ('{run}', '{parent}', '{{}}', {at})")).await;
    log(&world, world.run(children[0]).await.id, 3).await;
    let answers = delete(&world, &[parent, children[0], children[1]]).await;
    let need = |by| Answer::Needed { by };
    let expected = [need(Need::Barrier), need(Need::ParentsBarrier), need(Need::ParentsBarrier)];
    assert_eq!(answers, expected, "what a barrier needs went");
    let run = world.run(children[0]).await.id;
    assert_eq!(world.store.log(run, LogPart::ALL).await.unwrap().len(), 3, "with all that is its own");
    world.sql("DELETE FROM flyball.barriers").await;
    assert_eq!(delete(&world, &[parent, children[0], children[1]]).await, [DELETED; 3]);
}

pub(crate) async fn what_a_continuation_still_needs_is_not_deleted(world: World) {
    let (parent, children, run) = family(&world).await;
    let continuation = world.insert_one(|opts| opts.kind = kind("other")).await;
    let sql = "UPDATE flyball.jobs SET continues_run_id";
    world.sql(&format!("{sql} = '{run}' WHERE id = '{continuation}'")).await;
    let needed = Answer::Needed { by: Need::Continuation };
    let answers = delete(&world, &[children[0], parent]).await;
    assert_eq!(answers, [needed, DELETED], "what a continuation needs went");
    world.store.order(&cancelling(world.now()), &[continuation], world.now()).await.unwrap();
    assert_eq!(delete(&world, &children).await, [DELETED; 2]);
}

async fn the_keys_of_what_was_deleted_are_free(world: World) {
    let keyed = || world.job(|opts| opts.unique_key = Some(Key::new("one").unwrap()));
    let (first, second) = (keyed(), keyed());
    world.store.insert(std::slice::from_ref(&first)).await.unwrap();
    world.store.order(&cancelling(world.now()), &[first.id], world.now()).await.unwrap();
    assert_eq!(delete(&world, &[first.id]).await, [DELETED]);
    let inserted = world.store.insert(std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(inserted[0].id(), second.id);
}

async fn a_repeated_deletion_answers_what_was_recorded(world: World) {
    let gone = ended(&world, 1).await[0];
    let (_, claim) = world.running().await;
    let (jobs, first) = ([gone, claim.job], order(Operation::Delete, world.now()));
    let running = claim.job;
    let answers = world.store.order(&first, &jobs, world.now()).await.unwrap();
    assert_eq!(answers, [DELETED, left(JobState::Running)]);
    world.end(claim, failed(ErrorClass::Permanent)).await;
    assert_eq!(world.store.order(&first, &jobs, world.now()).await.unwrap(), answers);
    assert!(is_there(&world, running).await, "a repeat does nothing");
}

async fn more_logs_than_one_transaction_deletes_go_before_their_jobs(world: World) {
    let jobs = ended(&world, 2).await;
    let run = world.run(jobs[0]).await.id;
    log(&world, run, 12_000).await;
    let statements = world.store.statements();
    assert_eq!(delete(&world, &jobs).await, [DELETED; 2]);
    assert!(!is_there(&world, jobs[0]).await);
    assert!(world.store.log(run, LogPart::ALL).await.unwrap().is_empty());
    assert!(world.store.statements() - statements > 15, "in several transactions");
}

async fn a_selection_of_what_has_ended_is_deleted_and_counted(world: World) {
    let work = ended(&world, 3).await;
    let waits = world.insert(1).await[0];
    let of_kind = Selection::kind(kind("work"));
    let client = world.client();
    let survey = client.survey(Operation::Delete, &of_kind, Scope::Restricted).await.unwrap();
    assert_eq!(survey.values().sum::<u64>(), 3, "what waits is not meant");
    let done = client.operate_all(Operation::Delete, &of_kind, Scope::Restricted).await.unwrap();
    assert_eq!((done.deleted, done.changed(), done.untouched()), (3, 3, 0));
    assert!(is_there(&world, waits).await && !is_there(&world, work[0]).await);
    let waiting = of_kind.in_states([JobState::Available]);
    let refused = client.operate_all(Operation::Delete, &waiting, Scope::Restricted).await.unwrap_err();
    let told = "a delete does not move jobs that are available: cancel them first";
    assert_eq!(refused.to_string(), told);
}

async fn a_deletion_is_told(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    world.end(claim, Verdict::Stopped).await;
    let mut told = world.events.subscribe(100);
    assert_eq!(delete(&world, &[job]).await, [DELETED]);
    let event = told.next().await.expect("an event");
    let (work, queue) = (Kind::new("work").unwrap(), Default::default());
    assert_eq!(event, Event::JobsPruned { kind: work, queue, count: 1 });
}

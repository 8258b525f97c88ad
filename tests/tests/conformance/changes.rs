//! Jobs that wait are given another priority, or another time.

use std::time::Duration;

use flyball::job::{Due, ErrorClass, JobId, JobState, Operation, Priority, When};
use flyball::store::Answer;

use crate::world::{World, failed, left, order, promises};

promises! {
    what_is_given_a_lower_priority_is_claimed_first
    what_waits_is_due_at_the_time_that_it_was_given
    what_waits_for_its_next_attempt_stays_so_with_the_new_time
    what_was_set_aside_stays_so_and_is_resumed_at_the_new_time
    what_runs_is_neither_reprioritised_nor_rescheduled
    a_delay_is_counted_from_when_the_order_is_carried_out_and_not_again
}

async fn give(world: &World, operation: Operation, jobs: &[JobId]) -> Vec<Answer> {
    world.store.order(&order(operation, world.now()), jobs, world.now()).await.expect("carried out")
}

fn priority(number: u16) -> Operation {
    Operation::Reprioritise(Priority::try_from(number).unwrap())
}

fn after(seconds: u64) -> Operation {
    Operation::Reschedule(Due::In(Duration::from_secs(seconds)))
}

async fn what_is_given_a_lower_priority_is_claimed_first(world: World) {
    let node = world.node().await;
    let jobs = world.insert(3).await;
    let later = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(60))).await;
    let answers = give(&world, priority(7), &[jobs[2], later]).await;
    let same = |state| Answer::Moved { state };
    assert_eq!(answers, [same(JobState::Available), same(JobState::Scheduled)]);
    give(&world, priority(500), &jobs[..1]).await;
    let claimed: Vec<JobId> = world.claim(node, 3).await.into_iter().map(|claim| claim.job).collect();
    assert_eq!(claimed, [jobs[2], jobs[1], jobs[0]]);
    assert_eq!((world.read(later).await.priority, world.read(later).await.state), (7, JobState::Scheduled));
}

async fn what_waits_is_due_at_the_time_that_it_was_given(world: World) {
    let node = world.node().await;
    let now = world.insert(1).await[0];
    let later = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(60))).await;
    assert_eq!(give(&world, after(30), &[now]).await, [Answer::Moved { state: JobState::Scheduled }]);
    assert!(world.claim(node, 9).await.is_empty(), "it is not due");
    let past = Operation::Reschedule(Due::At(world.now().before(Duration::from_secs(5))));
    assert_eq!(give(&world, past, &[later]).await, [Answer::Moved { state: JobState::Available }]);
    assert_eq!(world.claim(node, 9).await.pop().unwrap().job, later, "it is due at once");
    world.advance(30);
    assert_eq!(world.store.promote(10, world.now()).await.unwrap().count, 1);
    assert_eq!(world.state(now).await, JobState::Available);
}

async fn what_waits_for_its_next_attempt_stays_so_with_the_new_time(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    world.end(claim, failed(ErrorClass::Transient)).await;
    assert_eq!(give(&world, after(3600), &[job]).await, [Answer::Moved { state: JobState::Retryable }]);
    let read = world.read(job).await;
    assert_eq!((read.failures, read.scheduled_at), (1, world.now().after(Duration::from_secs(3600))));
    world.advance(600);
    assert_eq!(world.store.promote(10, world.now()).await.unwrap().count, 0, "it is not due");
    assert_eq!(give(&world, after(0), &[job]).await, [Answer::Moved { state: JobState::Retryable }]);
    assert_eq!(world.store.promote(10, world.now()).await.unwrap().count, 1, "it is due");
    assert_eq!(world.read(job).await.failures, 1, "it keeps its failures");
}

async fn what_was_set_aside_stays_so_and_is_resumed_at_the_new_time(world: World) {
    let job = world.insert(1).await[0];
    give(&world, Operation::Pause, &[job]).await;
    assert_eq!(give(&world, after(60), &[job]).await, [Answer::Moved { state: JobState::Paused }]);
    assert_eq!(give(&world, Operation::Resume, &[job]).await, [Answer::Moved { state: JobState::Scheduled }]);
    assert_eq!(world.read(job).await.scheduled_at, world.now().after(Duration::from_secs(60)));
}

async fn what_runs_is_neither_reprioritised_nor_rescheduled(world: World) {
    let (_, claim) = world.running().await;
    let before = world.read(claim.job).await;
    for operation in [priority(1), after(60)] {
        assert_eq!(give(&world, operation, &[claim.job]).await, [left(JobState::Running)]);
    }
    assert_eq!(world.read(claim.job).await, before);
}

async fn a_delay_is_counted_from_when_the_order_is_carried_out_and_not_again(world: World) {
    let job = world.insert(1).await[0];
    let later = order(after(60), world.now());
    let answers = world.store.order(&later, &[job], world.now()).await.unwrap();
    let due = world.read(job).await.scheduled_at;
    world.advance(10);
    assert_eq!(world.store.order(&later, &[job], world.now()).await.unwrap(), answers);
    assert_eq!(world.read(job).await.scheduled_at, due, "a repeat does nothing");
}

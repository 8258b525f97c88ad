//! What operators order: cancel and retry.

use std::time::Duration;

use flyball::job::{ErrorClass, JobId, JobState, Key, Operation, Outcome, Release, Verdict, When};
use flyball::store::{Answer, Order, Settled, StoreError};

use crate::world::{AVAILABLE, CANCELLED, World, cancelling, completed, failed, left, promises, retrying};

promises! {
    a_cancel_ends_what_waits_and_asks_for_what_runs
    every_road_that_would_go_on_ends_cancelled_once_a_cancel_was_asked
    an_outcome_that_was_reached_first_stands
    a_repeated_order_answers_what_was_recorded
    a_retry_makes_what_ended_or_waits_available
    a_retry_leaves_alone_what_it_may_not_move
    a_retry_never_takes_an_active_key_from_another_job
    an_order_for_jobs_that_are_not_there_says_so
    a_job_that_is_named_twice_costs_no_other_its_turn
    an_order_for_other_jobs_under_the_same_id_is_refused
}

async fn cancel(world: &World, jobs: &[JobId]) -> Vec<Answer> {
    world.store.order(&cancelling(world.now()), jobs, world.now()).await.expect("carried out")
}

async fn retry(world: &World, jobs: &[JobId]) -> Vec<Answer> {
    world.store.order(&retrying(world.now()), jobs, world.now()).await.expect("carried out")
}

async fn a_cancel_ends_what_waits_and_asks_for_what_runs(world: World) {
    let node = world.node().await;
    let running = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    let waiting = world.insert(1).await[0];
    let later = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(9))).await;
    let answers = cancel(&world, &[later, running, waiting]).await;
    assert_eq!(answers, [CANCELLED, Answer::Requested, CANCELLED]);
    for job in [later, waiting] {
        let read = world.read(job).await;
        assert_eq!((read.state, read.finalized_at), (JobState::Cancelled, Some(world.now())));
    }
    let read = world.read(running).await;
    assert_eq!((read.state, read.cancel_requested_at), (JobState::Running, Some(world.now())));
    assert_eq!(world.store.cancels(node).await.unwrap(), [claim.run]);
    world.end(claim, Verdict::Stopped).await;
    assert_eq!(world.state(running).await, JobState::Cancelled);
    assert!(world.store.cancels(node).await.unwrap().is_empty());
    assert_eq!(cancel(&world, &[running]).await, [left(JobState::Cancelled)]);
}

pub(crate) async fn every_road_that_would_go_on_ends_cancelled_once_a_cancel_was_asked(world: World) {
    let roads = [
        failed(ErrorClass::Transient),
        Verdict::Snoozed { delay: Duration::from_secs(60) },
        Verdict::Released(Release::Drain),
        Verdict::Released(Release::Pool),
    ];
    for verdict in roads {
        let road = format!("{verdict:?}");
        let (_, claim) = world.running().await;
        let job = claim.job;
        let settlement = world.settle(claim, verdict);
        cancel(&world, &[job]).await;
        let settled = world.finalize(&settlement).await;
        let told = matches!(settled, Settled::Advanced { state: JobState::Cancelled, .. });
        assert!(told, "the answer says cancelled: {road}: {settled:?}");
        let read = world.read(job).await;
        assert_eq!((read.state, read.finalized_at), (JobState::Cancelled, Some(world.now())), "{road}");
        assert_eq!(
            Some(world.run(job).await.outcome),
            settlement.end.outcome,
            "the run says what was: {road}"
        );
    }
    // The node leaves, and with it what it holds.
    let (node, claim) = world.running().await;
    cancel(&world, &[claim.job]).await;
    world.store.leave(node, world.now()).await.unwrap();
    assert_eq!(world.state(claim.job).await, JobState::Cancelled, "left");
    // A renewal releases what the node does not know of.
    let (node, claim) = world.running().await;
    cancel(&world, &[claim.job]).await;
    world.advance(5);
    let renewed = world.compare(&world.renewal(node, &[])).await;
    assert_eq!((renewed.released, world.state(claim.job).await), (vec![claim.job], JobState::Cancelled));
    assert_eq!(world.run(claim.job).await.outcome, Outcome::Released);
}

async fn an_outcome_that_was_reached_first_stands(world: World) {
    for (verdict, state) in
        [(completed(), JobState::Succeeded), (failed(ErrorClass::Permanent), JobState::Discarded)]
    {
        let (_, claim) = world.running().await;
        let job = claim.job;
        cancel(&world, &[job]).await;
        world.end(claim, verdict).await;
        assert_eq!(world.state(job).await, state);
        assert_eq!(cancel(&world, &[job]).await, [left(state)], "and the caller is told");
    }
}

pub(crate) async fn a_repeated_order_answers_what_was_recorded(world: World) {
    let jobs = world.insert(2).await;
    let (now, first) = (world.now(), cancelling(world.now()));
    let answers = world.store.order(&first, &jobs, now).await.unwrap();
    assert_eq!(answers, [CANCELLED; 2]);
    // Another operator brings one back.
    assert_eq!(retry(&world, &jobs[..1]).await, [AVAILABLE]);
    let again = world.store.order(&first, &jobs, now).await.unwrap();
    assert_eq!(again, answers, "a repeat answers what was recorded");
    assert_eq!(world.state(jobs[0]).await, JobState::Available, "a repeat does nothing");
    let mixed = Order { operation: Operation::Retry, ..first.clone() };
    let mixed = world.store.order(&mixed, &jobs, now).await;
    assert!(matches!(mixed, Err(StoreError::OtherOrder { .. })), "one id is one order");
    // One order may come in several batches.
    let more = world.insert(1).await;
    assert_eq!(world.store.order(&first, &more, now).await.unwrap(), [CANCELLED]);
}

async fn a_retry_makes_what_ended_or_waits_available(world: World) {
    let node = world.node().await;
    let discarded = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, failed(ErrorClass::Permanent)).await;
    let retryable = world.insert(1).await[0];
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, failed(ErrorClass::Transient)).await;
    let scheduled = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(99))).await;
    let cancelled = world.insert(1).await[0];
    cancel(&world, &[cancelled]).await;
    world.advance(1);
    let jobs = [discarded, retryable, scheduled, cancelled];
    assert_eq!(retry(&world, &jobs).await, [AVAILABLE; 4]);
    for (job, failures, attempt) in
        [(discarded, 0, 1), (retryable, 1, 1), (scheduled, 0, 0), (cancelled, 0, 0)]
    {
        let read = world.read(job).await;
        assert_eq!((read.state, read.scheduled_at), (JobState::Available, world.now()));
        assert_eq!((read.failures, read.attempt), (failures, attempt), "the attempt is never rewound");
        assert_eq!((read.finalized_at, read.cancel_requested_at), (None, None));
    }
    let again = world.claim(node, 9).await.into_iter().find(|claim| claim.job == discarded).unwrap();
    assert_eq!(again.tries.attempt, 2);
}

async fn a_retry_leaves_alone_what_it_may_not_move(world: World) {
    let (node, claim) = world.running().await;
    let running = claim.job;
    let succeeded = world.insert(1).await[0];
    let second = world.claim(node, 1).await.pop().unwrap();
    world.end(second, completed()).await;
    let paused = world.insert(1).await[0];
    world.sql("UPDATE flyball.jobs SET state = 'paused' WHERE state = 'available'").await;
    let answers = retry(&world, &[running, succeeded, paused]).await;
    assert_eq!(answers, [left(JobState::Running), left(JobState::Succeeded), left(JobState::Paused)]);
    assert_eq!(world.state(running).await, JobState::Running);
    assert_eq!(world.state(succeeded).await, JobState::Succeeded);
}

async fn a_retry_never_takes_an_active_key_from_another_job(world: World) {
    let keyed = |key: &str| world.job(|opts| opts.unique_active_key = Some(Key::new(key).unwrap()));
    let mut ended = Vec::new();
    for key in ["held", "free", "free"] {
        let job = keyed(key);
        world.store.insert(std::slice::from_ref(&job)).await.unwrap();
        cancel(&world, &[job.id]).await;
        ended.push(job.id);
    }
    let holder = keyed("held");
    world.store.insert(std::slice::from_ref(&holder)).await.unwrap();
    ended.sort_unstable();
    let answers = retry(&world, &ended).await;
    let held: Vec<_> =
        answers.iter().filter(|answer| **answer == Answer::KeyTaken { holder: holder.id }).collect();
    let freed: Vec<_> = answers.iter().filter(|answer| **answer == AVAILABLE).collect();
    assert_eq!((held.len(), freed.len()), (1, 1), "one key is held, one is free for one of two: {answers:?}");
    assert_eq!(answers.len(), 3);
}

async fn an_order_for_jobs_that_are_not_there_says_so(world: World) {
    let nobody = JobId::mint(world.now());
    let there = world.insert(1).await[0];
    assert_eq!(cancel(&world, &[nobody, there]).await, [Answer::NotFound, CANCELLED]);
    assert_eq!(retry(&world, &[nobody]).await, [Answer::NotFound]);
    assert!(cancel(&world, &[]).await.is_empty());
}

async fn a_job_that_is_named_twice_costs_no_other_its_turn(world: World) {
    let jobs = world.insert(1100).await;
    let mut named = jobs.clone();
    named.insert(1000, jobs[0]);
    assert!(cancel(&world, &named).await.iter().all(|answer| *answer == CANCELLED));
    assert_eq!(world.store.overview(world.now()).await.unwrap().states[&JobState::Cancelled], 1100);
}

async fn an_order_for_other_jobs_under_the_same_id_is_refused(world: World) {
    let jobs = world.insert(3).await;
    let order = cancelling(world.now());
    world.store.order(&order, &jobs[..1], world.now()).await.expect("carried out");
    let refused = world.store.order(&order, &jobs, world.now()).await.unwrap_err();
    assert!(matches!(refused, StoreError::OtherOrder { .. }), "{refused}");
}

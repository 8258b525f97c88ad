//! Jobs come in.

use std::time::Duration;

use flyball::job::{
    Backoff, ExecutorClass, JobState, Key, Lineage, OnDiscard, Overrides, Queue, RunId, Tag, When,
};
use flyball::store::Inserted;

use crate::world::{World, completed, kind, promises};

promises! {
    what_was_inserted_is_read_back_as_it_was
    a_repeated_insert_is_the_same_job
    a_forever_key_collides_as_long_as_the_job_has_a_row
    an_active_key_is_free_again_when_its_job_has_ended
    a_key_twice_in_one_batch_is_one_job
    many_jobs_are_answered_in_input_order
    a_job_for_later_is_scheduled_and_not_claimed
}

async fn what_was_inserted_is_read_back_as_it_was(world: World) {
    let backoff = Backoff { base: Duration::from_millis(1500), cap: Duration::from_secs(7) };
    let parent = world.insert(1).await[0];
    let job = world.job(|opts| {
        opts.args = r#"{"b":1.50,"a":[null,"ü\n\"",18446744073709551615,1e300]}"#.into();
        opts.queue = Queue::new("mail").unwrap();
        opts.priority = 32_767;
        opts.unique_key = Some(Key::new("for ever").unwrap());
        opts.unique_active_key = Some(Key::new("while it runs").unwrap());
        opts.executor_class = ExecutorClass::new("gpu").unwrap();
        opts.tags = vec![Tag::new("a\"b").unwrap(), Tag::new("ü").unwrap()];
        opts.metadata = Some(r#"{"request_id":"r1"}"#.into());
        opts.overrides = Overrides {
            max_attempts: Some(7),
            timeout: Some(Duration::from_millis(1234)),
            fuel: Some(i64::MAX.unsigned_abs()),
            backoff: Some(backoff),
        };
        let run = RunId::mint(crate::world::START);
        opts.on_discard = Some(OnDiscard { kind: kind("tell"), args: "[1, 2]".into() });
        opts.lineage = Lineage {
            parent: Some(parent),
            parent_run: Some(run),
            root: Some(parent),
            depth: 3,
            awaited: true,
            continues: Some(run),
        };
    });
    world.store.insert(std::slice::from_ref(&job)).await.unwrap();
    let read = world.read(job.id).await;
    assert_eq!(read.args, job.args);
    assert_eq!((read.state, read.created_at, read.scheduled_at), (job.state, world.now(), world.now()));
    assert_eq!(
        (read.queue, read.priority, read.executor_class),
        (job.queue, job.priority, job.executor_class)
    );
    assert_eq!(read.unique_key.as_deref(), Some("for ever"));
    assert_eq!(read.unique_active_key.as_deref(), Some("while it runs"));
    assert_eq!((read.tags, read.metadata), (job.tags, job.metadata));
    assert_eq!((read.max_attempts, read.timeout_ms, read.fuel), (Some(7), Some(1234), job.overrides.fuel));
    assert_eq!((read.backoff_base_ms, read.backoff_cap_ms), (Some(1500), Some(7000)));
    assert_eq!((read.parent_id, read.parent_run_id), (job.lineage.parent, job.lineage.parent_run));
    assert_eq!((read.root_id, read.depth), (job.lineage.root, 3));
    assert_eq!((read.awaited, read.continues_run_id), (true, job.lineage.continues));
    assert_eq!(read.on_discard.unwrap().as_str(), r#"{"kind":"tell","args":[1,2]}"#);
    assert_eq!((read.attempt, read.failures, read.lease_token, read.finalized_at), (0, 0, None, None));
}

async fn a_repeated_insert_is_the_same_job(world: World) {
    let job = world.job(|opts| opts.unique_key = Some(Key::new("k").unwrap()));
    for _ in 0..2 {
        let answer = world.store.insert(std::slice::from_ref(&job)).await.unwrap();
        assert_eq!(answer, [Inserted::New(job.id)]);
    }
    assert_eq!(world.store.page(&filter()).await.unwrap().jobs.len(), 1);
}

async fn a_forever_key_collides_as_long_as_the_job_has_a_row(world: World) {
    let keyed = || world.job(|opts| opts.unique_key = Some(Key::new("k").unwrap()));
    let first = keyed();
    world.store.insert(std::slice::from_ref(&first)).await.unwrap();
    let node = world.node().await;
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.end(claim, completed()).await;
    let second = keyed();
    let answer = world.store.insert(std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(answer, [Inserted::Duplicate(first.id)]);
    assert_eq!(world.store.job(second.id).await.unwrap(), None);
}

async fn an_active_key_is_free_again_when_its_job_has_ended(world: World) {
    let keyed = || world.job(|opts| opts.unique_active_key = Some(Key::new("k").unwrap()));
    let (first, second, third) = (keyed(), keyed(), keyed());
    world.store.insert(std::slice::from_ref(&first)).await.unwrap();
    let node = world.node().await;
    let claim = world.claim(node, 1).await.pop().unwrap();
    let answer = world.store.insert(std::slice::from_ref(&second)).await.unwrap();
    assert_eq!(answer, [Inserted::Duplicate(first.id)], "while it runs");
    world.end(claim, completed()).await;
    let answer = world.store.insert(std::slice::from_ref(&third)).await.unwrap();
    assert_eq!(answer, [Inserted::New(third.id)], "when it has ended");
}

async fn a_key_twice_in_one_batch_is_one_job(world: World) {
    let keyed = |key: &str| world.job(|opts| opts.unique_key = Some(Key::new(key).unwrap()));
    let batch = [keyed("z"), keyed("a"), keyed("z")];
    let answers = world.store.insert(&batch).await.unwrap();
    let expected = [Inserted::New(batch[0].id), Inserted::New(batch[1].id), Inserted::Duplicate(batch[0].id)];
    assert_eq!(answers, expected);
}

async fn many_jobs_are_answered_in_input_order(world: World) {
    // More than one statement takes, and larger than one parameter may be.
    let text = format!("\"{}\"", "x".repeat(2000));
    let jobs: Vec<_> = (0..6000).map(|_| world.job(|opts| opts.args.clone_from(&text))).collect();
    let before = world.store.statements();
    let answers = world.store.insert(&jobs).await.unwrap();
    assert!(answers.iter().zip(&jobs).all(|(answer, job)| *answer == Inserted::New(job.id)));
    assert!(world.store.statements() - before <= 8, "a batch is a statement");
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states[&JobState::Available], 6000);
}

async fn a_job_for_later_is_scheduled_and_not_claimed(world: World) {
    let job = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(60))).await;
    let node = world.node().await;
    world.advance(120);
    assert!(world.claim(node, 1).await.is_empty(), "only the promoter makes it available");
    assert_eq!(world.state(job).await, JobState::Scheduled);
}

fn filter() -> flyball::store::JobFilter {
    flyball::store::JobFilter { limit: 10, ..Default::default() }
}

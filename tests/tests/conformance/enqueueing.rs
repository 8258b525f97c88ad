//! What a client does for whoever enqueues, before and after the store.

use flyball::job::{
    AdmitError, Completion, InsertOpts, JobArgs, JobId, JobState, Json, Key, Lineage, Outcome, Verdict,
};
use flyball::store::{Inserted, KindDefaults, PublishedKind, StoreError};
use flyball::{Client, ClientError, with_request_id};
use flyball_tests::GENEROUS;

use crate::world::{World, completed, kind, promises};

promises! {
    typed_args_are_enqueued_for_the_kind_that_they_name
    a_child_has_the_root_and_the_depth_that_its_parent_gives_it
    a_parent_that_is_not_on_record_is_refused
    args_that_do_not_match_the_published_schema_are_refused_by_field
    a_schema_that_was_replaced_refuses_nothing_any_more
    the_request_of_the_caller_is_kept_with_the_job
    many_jobs_are_enqueued_in_chunks_and_duplicates_are_told_apart
    a_chunk_that_cannot_be_taken_leaves_those_before_it_and_says_so
    what_a_client_is_asked_may_go_to_a_task_of_its_own
    a_wait_ends_with_its_job
    a_wait_for_what_is_not_on_record_ends_at_once
}

pub(crate) fn client(world: &World) -> Client {
    Client::over(world.store.clone(), "tester")
}

fn work() -> InsertOpts {
    InsertOpts::new(kind("work"), "{}")
}

#[derive(serde::Serialize)]
struct WordCount {
    text: String,
}

impl JobArgs for WordCount {
    const KIND: &'static str = "word-count";
}

async fn typed_args_are_enqueued_for_the_kind_that_they_name(world: World) {
    let inserted = client(&world).enqueue(&WordCount { text: "a b".into() }).await.unwrap();
    let read = world.read(inserted.id()).await;
    assert_eq!((read.kind, read.args.as_str()), (kind("word-count"), r#"{"text":"a b"}"#));
}

async fn a_child_has_the_root_and_the_depth_that_its_parent_gives_it(world: World) {
    let client = client(&world);
    let root = client.enqueue(work()).await.unwrap().id();
    let child = InsertOpts { lineage: Lineage::child_of(root), ..work() };
    let child = client.enqueue(child).await.unwrap().id();
    let grandchild = InsertOpts { lineage: Lineage::child_of(child), ..work() };
    let grandchild = client.enqueue(grandchild).await.unwrap().id();
    let read = world.read(child).await;
    assert_eq!((read.parent_id, read.root_id, read.depth), (Some(root), Some(root), 1));
    let read = world.read(grandchild).await;
    assert_eq!((read.parent_id, read.root_id, read.depth), (Some(child), Some(root), 2));
    assert_eq!(read.parent_run_id, None, "no attempt asked for it");
}

async fn a_parent_that_is_not_on_record_is_refused(world: World) {
    let nobody = JobId::mint(world.now());
    let orphan = InsertOpts { lineage: Lineage::child_of(nobody), ..work() };
    let jobs = vec![(JobId::mint(world.now()), work()), (JobId::mint(world.now()), orphan)];
    let refused = client(&world).enqueue_many(jobs).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Store(StoreError::NoParent(parent)) if *parent == nobody),
        "{refused}"
    );
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states[&JobState::Available], 0, "all or none");
}

async fn publish(world: &World, schema: &str) {
    let node = world.node().await;
    let defaults = KindDefaults {
        max_attempts: 25,
        timeout_ms: 60_000,
        fuel: 1,
        memory_bytes: 1,
        backoff: flyball::job::Backoff::default(),
    };
    let published = PublishedKind {
        kind: kind("word-count"),
        digest: "d".into(),
        summary: "counts".into(),
        args_schema: Some(Json::parse(schema, 1000).unwrap()),
        defaults,
    };
    world.store.publish(node, &[published], world.now()).await.unwrap();
}

async fn args_that_do_not_match_the_published_schema_are_refused_by_field(world: World) {
    publish(&world, r#"{"properties": {"text": {"type": "string", "maxLength": 3}}, "required": ["text"]}"#)
        .await;
    let client = client(&world);
    let refused = client.enqueue(&WordCount { text: "four".into() }).await.unwrap_err();
    assert_eq!(refused.to_string(), r#"args/text: "four" is longer than 3 characters"#);
    let opts = |args: &str| (JobId::mint(world.now()), InsertOpts::new(kind("word-count"), args));
    let jobs = vec![opts(r#"{"text": "abc"}"#), opts("{}")];
    let refused = client.enqueue_many(jobs).await.unwrap_err();
    assert_eq!(refused.to_string(), r#"job 2 of 2: args: "text" is a required property"#);
    assert!(matches!(refused, ClientError::Admit(AdmitError::Schema(_))));
    client.enqueue(&WordCount { text: "abc".into() }).await.unwrap();
    // One that no node knows may come with its worker later.
    client.enqueue(InsertOpts::new(kind("unheard-of"), "[]")).await.unwrap();
}

async fn a_schema_that_was_replaced_refuses_nothing_any_more(world: World) {
    let client = client(&world);
    publish(&world, r#"{"maxProperties": 0}"#).await;
    client.enqueue(&WordCount { text: "a".into() }).await.unwrap_err();
    publish(&world, r#"{"maxProperties": 1}"#).await;
    client.enqueue(&WordCount { text: "a".into() }).await.expect("it is read again before it refuses");
}

async fn the_request_of_the_caller_is_kept_with_the_job(world: World) {
    let client = client(&world);
    let job = with_request_id("r-1", client.enqueue(work())).await.unwrap().id();
    assert_eq!(world.read(job).await.metadata.as_str(), r#"{"request_id":"r-1"}"#);
    let job = client.enqueue(work()).await.unwrap().id();
    assert_eq!(world.read(job).await.metadata.as_str(), "{}");
}

async fn many_jobs_are_enqueued_in_chunks_and_duplicates_are_told_apart(world: World) {
    const COUNT: usize = 12_000;
    let keyed = |at: usize| {
        // Every thousandth has the key of the one before.
        let key = if at % 1000 == 999 { at - 1 } else { at };
        InsertOpts { unique_key: Some(Key::new(&key.to_string()).unwrap()), ..work() }
    };
    let before = world.store.statements();
    let inserted = client(&world).enqueue_bulk((0..COUNT).map(keyed)).await.unwrap();
    println!("{COUNT} jobs by {} statements", world.store.statements() - before);
    assert_eq!(inserted.len(), COUNT);
    for (at, answer) in inserted.iter().enumerate() {
        match answer {
            Inserted::New(_) => assert_ne!(at % 1000, 999, "job {at}"),
            Inserted::Duplicate(holder) => assert_eq!((at % 1000, *holder), (999, inserted[at - 1].id())),
        }
    }
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states[&JobState::Available], 11_988);
}

async fn a_chunk_that_cannot_be_taken_leaves_those_before_it_and_says_so(world: World) {
    let jobs = (0..5002).map(|at| InsertOpts { priority: if at == 5001 { 40_000 } else { 1 }, ..work() });
    let stopped = client(&world).enqueue_bulk(jobs).await.unwrap_err();
    assert_eq!(stopped.to_string(), "after 5000 jobs: priority must be 0 to 32767");
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!((overview.states[&JobState::Available], stopped.done.len()), (5000, 5000));
    // Under the ids that they were given, they are the same jobs however often they are handed in.
    let mut pending = stopped.pending;
    pending[1].1.priority = 1;
    for _ in 0..2 {
        client(&world).enqueue_many(pending.clone()).await.unwrap();
    }
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states[&JobState::Available], 5002);
}

async fn what_a_client_is_asked_may_go_to_a_task_of_its_own(world: World) {
    let client = client(&world);
    let task = tokio::spawn(async move {
        let job = client.enqueue(work()).await?.id();
        client.enqueue_bulk([work()]).await.map_err(|error| error.source)?;
        client.retry(&[job]).await?;
        client.cancel(&[job]).await?;
        client.wait(job).await
    });
    assert!(task.await.unwrap().unwrap().is_some());
}

async fn a_wait_ends_with_its_job(world: World) {
    // Its times are real: a clock that stands still would never look again.
    let client = Client::connect(&world.url, "waiter").await.unwrap();
    let (_, claim) = world.running().await;
    let (job, waiter) = (claim.job, client.clone());
    let waiting = tokio::spawn(async move { waiter.wait(job).await });
    let output = Some(Json::parse("[7]", 10).unwrap());
    world.end(claim, Verdict::Completed(Completion { output, ..Completion::default() })).await;
    let ended = tokio::time::timeout(GENEROUS, waiting).await.expect("it ends").unwrap().unwrap().unwrap();
    assert_eq!(ended.output().map(Json::as_str), Some("[7]"));
    assert_eq!(ended.run.map(|run| run.outcome), Some(Outcome::Success));

    let job = world.insert(1).await[0];
    client.cancel(&[job]).await.unwrap();
    let ended = client.wait(job).await.unwrap().unwrap();
    assert_eq!((ended.job.state, ended.run.is_none(), ended.output()), (JobState::Cancelled, true, None));
    let (_, claim) = world.running().await;
    world.end(claim, completed()).await;
    client.close().await;
}

async fn a_wait_for_what_is_not_on_record_ends_at_once(world: World) {
    assert!(client(&world).wait(JobId::mint(world.now())).await.unwrap().is_none());
}

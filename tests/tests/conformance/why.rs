//! Why a job does not run: every reason, and that it is said in one sentence.

use std::time::Duration;

use flyball::job::{
    Backoff, ErrorClass, JobId, JobState, Json, LossPolicy, NodeId, Operation, Outcome, When,
};
use flyball::store::{Database, Flag, Flagged, KindDefaults, NewNode, PublishedKind, Skew, Turn};
use flyball::{OnNode, Why};

use crate::world::{LEASE, World, cancelling, completed, failed, kind, order, promises};

promises! {
    a_job_that_runs_says_where_since_when_and_whether_it_was_asked_to_stop
    a_job_whose_node_is_gone_says_so
    a_job_that_has_ended_says_when
    a_job_that_was_set_aside_says_so
    a_job_for_later_says_when
    a_job_between_two_attempts_says_when_and_after_which_failure
    a_job_that_is_due_waits_for_a_node_that_looks
    a_job_of_a_paused_queue_or_kind_says_which
    a_job_that_a_limit_keeps_back_says_which_and_for_which_key
    a_job_that_no_living_node_can_run_says_what_is_lacking
    a_last_chance_waits_for_a_node_that_runs_nothing_else
    a_job_in_its_lane_says_how_many_come_before_it
    a_job_that_is_not_there_has_no_reason
    kinds_that_living_nodes_have_in_different_versions_are_told
}

async fn why(world: &World, job: JobId) -> Why {
    world.client().why(job).await.expect("read").expect("the job is there")
}

/// A living node that has the kind `work`, and serves this.
async fn node(world: &World, serves: &str) -> NodeId {
    node_with(world, serves, "d").await
}

async fn node_with(world: &World, serves: &str, digest: &str) -> NodeId {
    let node = NewNode {
        id: NodeId::mint(world.now()),
        name: "ada".into(),
        pid: 1,
        version: "0.1.0".into(),
        concurrency: 8,
        serves: Json::parse(serves, 1000).unwrap(),
        lease: LEASE,
        retention: None,
    };
    world.store.register(&node, &LossPolicy::default(), world.now()).await.expect("registered");
    let second = Duration::from_secs(1);
    let defaults = KindDefaults {
        max_attempts: 3,
        timeout_ms: 1000,
        fuel: 1,
        memory_bytes: 1,
        backoff: Backoff { base: second, cap: second },
    };
    let published = PublishedKind {
        kind: kind("work"),
        digest: digest.into(),
        summary: String::new(),
        args_schema: None,
        defaults,
    };
    world.store.publish(node.id, &[published], world.now()).await.expect("published");
    node.id
}

const EVERYTHING: &str = r#"{"queues": {}, "classes": "*"}"#;

async fn a_job_that_runs_says_where_since_when_and_whether_it_was_asked_to_stop(world: World) {
    let on = node(&world, EVERYTHING).await;
    let job = world.insert(1).await[0];
    world.claim(on, 1).await.pop().unwrap();
    let since = Some(world.now());
    let here = OnNode { node_id: Some(on), name: Some("ada".into()) };
    let runs = Why::Runs { on: here.clone(), since, cancel_requested_at: None };
    assert_eq!(why(&world, job).await, runs);
    assert_eq!(runs.to_string(), format!("it runs on the node ada since {}", world.now()));
    world.advance(1);
    world.store.order(&cancelling(world.now()), &[job], world.now()).await.unwrap();
    let asked = Why::Runs { on: here, since, cancel_requested_at: Some(world.now()) };
    assert_eq!(why(&world, job).await, asked);
}

async fn a_job_whose_node_is_gone_says_so(world: World) {
    let job = world.insert(1).await;
    world.put(&job, JobState::Running).await;
    let told = why(&world, job[0]).await;
    assert!(matches!(&told, Why::NodeGone { on, .. } if on.name.is_none()), "{told:?}");
}

async fn a_job_that_has_ended_says_when(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    world.end(claim, completed()).await;
    let told = why(&world, job).await;
    assert_eq!(told, Why::Ended { state: JobState::Succeeded, at: Some(world.now()) });
    assert_eq!(told.to_string(), format!("it has ended: succeeded at {}", world.now()));
}

async fn a_job_that_was_set_aside_says_so(world: World) {
    let job = world.insert(1).await;
    world.store.order(&order(Operation::Pause, world.now()), &job, world.now()).await.unwrap();
    assert_eq!(why(&world, job[0]).await, Why::Paused);
}

async fn a_job_for_later_says_when(world: World) {
    let minute = Duration::from_secs(60);
    let job = world.insert_one(|opts| opts.when = When::In(minute)).await;
    assert_eq!(why(&world, job).await, Why::Later { at: world.now().after(minute) });
}

async fn a_job_between_two_attempts_says_when_and_after_which_failure(world: World) {
    let (_, claim) = world.running().await;
    let (job, run) = (claim.job, claim.run);
    world.end(claim, failed(ErrorClass::Transient)).await;
    let told = why(&world, job).await;
    let Why::Retry { at, after: Some(after) } = &told else { panic!("{told:?}") };
    assert_eq!(*at, world.read(job).await.scheduled_at);
    assert_eq!((after.run_id, after.attempt, after.outcome), (run, 1, Outcome::Error));
    assert_eq!(after.error_class, Some(ErrorClass::Transient));
    let sentence = format!("its next attempt is due at {at}: attempt 1 ended as error (transient): no");
    assert_eq!(told.to_string(), sentence);
}

async fn a_job_that_is_due_waits_for_a_node_that_looks(world: World) {
    let minute = Duration::from_secs(60);
    let job = world.insert_one(|opts| opts.when = When::In(minute)).await;
    world.advance(60);
    assert_eq!(why(&world, job).await, Why::NoNode);
    node(&world, EVERYTHING).await;
    assert_eq!(why(&world, job).await, Why::Due { since: world.now() });
}

async fn a_job_of_a_paused_queue_or_kind_says_which(world: World) {
    node(&world, EVERYTHING).await;
    let (client, job) = (world.client(), world.insert(1).await[0]);
    let queue = Flagged::Queue("default".parse().unwrap());
    client.flag(&queue, Flag::Pause).await.unwrap();
    let told = why(&world, job).await;
    assert_eq!(told, Why::QueuePaused { queue: "default".parse().unwrap() });
    assert_eq!(told.to_string(), "its queue default is paused: `flyball queues resume default`");
    client.flag(&queue, Flag::Resume).await.unwrap();
    client.flag(&Flagged::Kind(kind("work")), Flag::Pause).await.unwrap();
    assert_eq!(why(&world, job).await, Why::KindPaused { kind: kind("work") });
}

async fn a_job_that_a_limit_keeps_back_says_which_and_for_which_key(world: World) {
    node(&world, EVERYTHING).await;
    let job = world.insert(1).await[0];
    world.sql("UPDATE flyball.jobs SET blocked_by = 'per-tenant', limit_key = 'acme'").await;
    let told = why(&world, job).await;
    assert_eq!(told, Why::Blocked { by: "per-tenant".into(), key: Some("acme".into()) });
    assert_eq!(told.to_string(), "the limit per-tenant keeps it back, for the key acme");
}

async fn a_job_that_no_living_node_can_run_says_what_is_lacking(world: World) {
    let other = world.insert_one(|opts| opts.kind = kind("other")).await;
    assert_eq!(why(&world, other).await, Why::NoNode);
    let gone = world.node().await;
    world.store.leave(gone, world.now()).await.unwrap();
    assert_eq!(why(&world, other).await, Why::NoNode, "one that has left is not alive");
    node(&world, r#"{"queues": {"mail": 4}, "classes": ["gpu"]}"#).await;
    let told = why(&world, other).await;
    assert_eq!(told, Why::NoNodeWithKind { kind: kind("other") });
    let plain = world.insert(1).await[0];
    assert_eq!(why(&world, plain).await, Why::NoNodeWithQueue { queue: "default".parse().unwrap() });
    let mail = world.insert_one(|opts| opts.queue = "mail".parse().unwrap()).await;
    let told = why(&world, mail).await;
    assert_eq!(told, Why::NoNodeWithClass { executor_class: "".parse().unwrap() });
    let gpu = world
        .insert_one(|opts| {
            opts.queue = "mail".parse().unwrap();
            opts.executor_class = "gpu".parse().unwrap();
        })
        .await;
    assert_eq!(why(&world, gpu).await, Why::Next);
}

async fn a_last_chance_waits_for_a_node_that_runs_nothing_else(world: World) {
    let on = node(&world, EVERYTHING).await;
    let job = world.insert(1).await[0];
    world.sql("UPDATE flyball.jobs SET last_chance = true, crashes = 2").await;
    assert_eq!(why(&world, job).await, Why::LastChance { crashes: 2 });
    let request = flyball::store::ClaimRequest { turn: Turn::LastChance, ..world.request(on, 1) };
    assert_eq!(world.take(&request).await[0].job, job);
}

async fn a_job_in_its_lane_says_how_many_come_before_it(world: World) {
    node(&world, EVERYTHING).await;
    world.insert_one(|opts| opts.queue = "mail".parse().unwrap()).await;
    let jobs = world.insert(3).await;
    world.advance(1);
    let urgent = world.insert_one(|opts| opts.priority = 1).await;
    assert_eq!(why(&world, urgent).await, Why::Next);
    let last = jobs.iter().max().unwrap();
    assert_eq!(why(&world, *last).await, Why::Behind { jobs: 3, more: false });
    assert_eq!(why(&world, *last).await.to_string(), "3 jobs of its lane come before it");
    world.insert(1000).await;
    let late = world.insert_one(|opts| opts.priority = 500).await;
    let told = why(&world, late).await;
    assert_eq!(told, Why::Behind { jobs: 1000, more: true }, "the count is bounded");
    assert_eq!(told.to_string(), "more than 1000 jobs of its lane come before it");
}

async fn a_job_that_is_not_there_has_no_reason(world: World) {
    assert_eq!(world.client().why(JobId::mint(world.now())).await.unwrap(), None);
}

async fn kinds_that_living_nodes_have_in_different_versions_are_told(world: World) {
    let old = node_with(&world, EVERYTHING, "old").await;
    let skews = async || {
        let nodes = world.store.nodes().await.unwrap();
        Skew::among(nodes.iter().filter(|node| node.is_alive(world.now())))
    };
    assert_eq!(skews().await, [], "one node differs from nobody");
    let new = node_with(&world, EVERYTHING, "new").await;
    // On SQLite the second took the place of the first.
    if world.database == Database::Sqlite {
        assert_eq!(skews().await, []);
        return;
    }
    let digests = [("new".to_owned(), [new].into()), ("old".to_owned(), [old].into())].into();
    assert_eq!(skews().await, [Skew { kind: "work".into(), digests }]);
    world.store.leave(old, world.now()).await.unwrap();
    assert_eq!(skews().await, [], "the rollout is through");
}

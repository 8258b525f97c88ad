//! Nodes: they enter, renew, are swept, leave.

use std::time::Duration;

use flyball::job::{JobState, LossPolicy, NodeId, Outcome, RunId, SettledBy};
use flyball::store::{Activity, Database, Notes, StoreError};

use crate::world::{LEASE, World, cancelling, completed, promises};

promises! {
    a_renewal_names_what_is_lost_what_is_to_be_cancelled_and_releases_what_is_unknown
    a_claim_that_is_not_answered_yet_is_nobodys_to_release
    a_node_that_left_neither_renews_nor_comes_back
    a_node_enters_once_however_often_it_asks
    what_leaves_gives_back_what_it_holds
    an_activity_is_one_nodes_at_a_time
    nodes_and_kinds_are_read_back
}

pub(crate) async fn a_renewal_names_what_is_lost_what_is_to_be_cancelled_and_releases_what_is_unknown(
    world: World,
) {
    let node = world.node().await;
    world.insert(3).await;
    let claims = world.claim(node, 3).await;
    let [cancelled, forgotten, kept] = claims.as_slice() else { panic!("{claims:?}") };
    let gone = RunId::mint(world.now());
    world.store.order(&cancelling(world.now()), &[cancelled.job], world.now()).await.unwrap();
    world.advance(5);
    let renewal = world.renewal(node, &[cancelled.run, gone, kept.run]);
    let renewed = world.compare(&renewal).await;
    assert_eq!(renewed.lost, [gone]);
    assert_eq!(renewed.cancels, [cancelled.run]);
    assert_eq!(renewed.released, [forgotten.job]);
    let read = world.read(forgotten.job).await;
    assert_eq!((read.state, read.failures, read.crashes), (JobState::Available, 0, 0), "costs nothing");
    let run = world.run(forgotten.job).await;
    assert_eq!((run.outcome, run.settled_by), (Outcome::Released, Some(SettledBy::Renewal)));
    assert_eq!(world.state(kept.job).await, JobState::Running);
    let again = world.compare(&renewal).await;
    assert_eq!((again.lost, again.released.len()), (vec![gone], 0));
}

async fn a_claim_that_is_not_answered_yet_is_nobodys_to_release(world: World) {
    let (node, claim) = world.running().await;
    world.advance(5);
    let mut renewal = world.renewal(node, &[]);
    renewal.pending = vec![claim.run];
    let renewed = world.compare(&renewal).await;
    assert_eq!((renewed.released.len(), renewed.lost.len()), (0, 0));
    // Given up, it leaves the list, and what it brought goes back.
    renewal.pending.clear();
    let told = world.store.renew(&renewal, world.now()).await.unwrap();
    assert_eq!(told.database_time, world.now());
    let Notes::Compared(renewed) = told.notes else { panic!("{told:?}") };
    assert_eq!(renewed.released, [claim.job]);
}

pub(crate) async fn a_node_that_left_neither_renews_nor_comes_back(world: World) {
    let node = world.node().await;
    world.store.leave(node, world.now()).await.unwrap();
    let refused = world.store.renew(&world.renewal(node, &[]), world.now()).await;
    assert!(matches!(refused, Err(StoreError::NodeLost)), "a lost node does not renew: {refused:?}");
    let new = flyball::store::NewNode {
        id: node,
        name: "again".into(),
        pid: 1,
        version: "0".into(),
        concurrency: 1,
        serves: flyball::job::Json::empty_object(),
        lease: LEASE,
        retention: None,
    };
    let refused = world.store.register(&new, &LossPolicy::default(), world.now()).await;
    assert!(matches!(refused, Err(StoreError::NodeLost)), "ids are never reused: {refused:?}");
}

async fn a_node_enters_once_however_often_it_asks(world: World) {
    let node = world.node().await;
    let (job, claim) = (world.insert(1).await[0], world.claim(node, 1).await.pop().unwrap());
    let registered = world.register(node).await;
    assert!(registered.reclaimed.is_empty(), "what it runs is its own");
    assert_eq!(world.read(job).await.lease_token, Some(claim.run));
    assert_eq!(world.store.nodes().await.unwrap().len(), 1);
}

async fn what_leaves_gives_back_what_it_holds(world: World) {
    let (node, claim) = world.running().await;
    let job = claim.job;
    for _ in 0..2 {
        world.store.leave(node, world.now()).await.unwrap();
    }
    assert_eq!(world.state(job).await, JobState::Available);
    assert_eq!(world.run(job).await.outcome, Outcome::Released);
    let nodes = world.store.nodes().await.unwrap();
    assert_eq!((nodes[0].lost_at, nodes[0].left_at), (Some(world.now()), Some(world.now())));
    let late = world.end(claim, completed()).await;
    assert_eq!(late, flyball::store::Settled::Superseded, "its late word is not taken for stored");
}

async fn an_activity_is_one_nodes_at_a_time(world: World) {
    let first = world.node().await;
    let lease = Duration::from_secs(10);
    let hold = async |node| {
        let activity = Activity { name: "sweep", node, lease };
        world.store.hold(&activity, world.now()).await.expect("asked")
    };
    assert!(hold(first).await);
    assert!(hold(first).await, "a renewal");
    assert!(!hold(NodeId::mint(world.now())).await, "a stranger");
    if world.database == Database::Postgres {
        let second = world.node().await;
        assert!(!hold(second).await);
        world.advance(11);
        assert!(hold(second).await, "it has passed");
        assert!(!hold(first).await);
        // The clock is set back by an hour: the lease ends no further ahead than it is long.
        world.sql("UPDATE flyball.maintenance SET expires_at = expires_at + interval '1 hour'").await;
        assert!(!hold(first).await, "cut");
        world.advance(11);
        assert!(hold(first).await);
    }
}

async fn nodes_and_kinds_are_read_back(world: World) {
    let node = world.node().await;
    let published = |summary: &str| flyball::store::PublishedKind {
        kind: crate::world::kind("work"),
        digest: "d1".into(),
        summary: summary.into(),
        args_schema: Some(flyball::job::Json::stored(r#"{"type":"object"}"#)),
        defaults: flyball::store::KindDefaults {
            max_attempts: 3,
            timeout_ms: 1000,
            fuel: 5,
            memory_bytes: 6,
            backoff: flyball::job::Backoff::default(),
        },
    };
    for summary in ["old", "new"] {
        world.store.publish(node, &[published(summary)], world.now()).await.unwrap();
    }
    world.sql("UPDATE flyball.kinds SET paused = true").await;
    world.store.publish(node, &[published("new")], world.now()).await.unwrap();
    let kinds = world.store.kinds().await.unwrap();
    assert_eq!((kinds.len(), kinds[0].summary.as_str(), kinds[0].paused), (1, "new", true));
    assert!(kinds[0].defaults.as_str().contains(r#""max_attempts":3"#));
    let nodes = world.store.nodes().await.unwrap();
    assert_eq!((nodes[0].id, nodes[0].kinds.as_str()), (node, r#"{"work":"d1"}"#));
    assert_eq!(nodes[0].expires_at.is_some(), world.database == Database::Postgres);
}

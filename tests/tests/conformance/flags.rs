//! Queues and kinds that an operator pauses, for all nodes.

use flyball::job::{ActionId, Backoff, JobState, Queue};
use flyball::store::{Flag, FlagSet, Flagged, KindDefaults, PublishedKind, SingleOrder, StoreError};

use crate::world::{World, completed, kind, promises};

promises! {
    what_is_paused_is_told_and_what_runs_runs_on
    a_kind_is_paused_before_any_node_has_it_and_stays_so_when_one_has
    an_order_to_pause_that_is_repeated_is_answered_what_was_recorded
}

fn order(world: &World) -> SingleOrder {
    SingleOrder { action: ActionId::mint(world.now()), who: "test".into() }
}

pub(crate) async fn flag(world: &World, flagged: &Flagged, flag: Flag) -> FlagSet {
    world.store.flag(&order(world), flagged, flag, world.now()).await.expect("flagged")
}

fn mail() -> Queue {
    "mail".parse().expect("valid")
}

async fn what_is_paused_is_told_and_what_runs_runs_on(world: World) {
    let node = world.node().await;
    let job = world.insert_one(|opts| opts.queue = mail()).await;
    let claim = world.claim(node, 1).await.pop().expect("claimed");
    let queue = Flagged::Queue(mail());
    assert_eq!(flag(&world, &queue, Flag::Resume).await, FlagSet::AsItWas);
    assert_eq!(flag(&world, &queue, Flag::Pause).await, FlagSet::Set);
    assert_eq!(flag(&world, &queue, Flag::Pause).await, FlagSet::AsItWas);
    let paused = async || {
        let queues = world.client().queues().await.expect("read");
        queues
            .into_iter()
            .map(|status| (status.queue, status.paused, status.health.in_flight))
            .collect::<Vec<_>>()
    };
    assert_eq!(paused().await, [(mail(), true, 1)]);
    world.end(claim, completed()).await;
    assert_eq!(world.state(job).await, JobState::Succeeded);
    assert_eq!(paused().await, [(mail(), true, 0)], "it is told without a job, too");
    assert_eq!(flag(&world, &queue, Flag::Resume).await, FlagSet::Set);
    assert!(paused().await.is_empty());
}

async fn a_kind_is_paused_before_any_node_has_it_and_stays_so_when_one_has(world: World) {
    let work = Flagged::Kind(kind("work"));
    assert_eq!(flag(&world, &work, Flag::Pause).await, FlagSet::Set);
    let node = world.node().await;
    let jobs = world.insert(1).await;
    let told = async || {
        let kinds = world.client().kinds().await.expect("read");
        kinds
            .into_iter()
            .map(|kind| (kind.kind, kind.paused, kind.published_at.is_some()))
            .collect::<Vec<_>>()
    };
    assert_eq!(told().await, [(kind("work"), true, false)]);
    let defaults = KindDefaults {
        max_attempts: 25,
        timeout_ms: 60_000,
        fuel: 1,
        memory_bytes: 1,
        backoff: Backoff::default(),
    };
    let (summary, digest) = ("Works".to_owned(), "digest".to_owned());
    let published = PublishedKind { kind: kind("work"), digest, summary, args_schema: None, defaults };
    world.store.publish(node, &[published], world.now()).await.expect("published");
    assert_eq!(told().await, [(kind("work"), true, true)]);
    assert!(world.claim(node, 1).await.is_empty());
    assert_eq!(flag(&world, &work, Flag::Resume).await, FlagSet::Set);
    assert_eq!(world.claim(node, 1).await[0].job, jobs[0]);
}

async fn an_order_to_pause_that_is_repeated_is_answered_what_was_recorded(world: World) {
    let (order, queue) = (order(&world), Flagged::Queue(mail()));
    for _ in 0..2 {
        let answer = world.store.flag(&order, &queue, Flag::Pause, world.now()).await.expect("flagged");
        assert_eq!(answer, FlagSet::Set);
    }
    let other = world.store.flag(&order, &queue, Flag::Resume, world.now()).await;
    assert!(matches!(other, Err(StoreError::Unreadable { .. })), "{other:?}");
    assert!(world.store.paused_queues().await.expect("read").contains(&mail()));
}

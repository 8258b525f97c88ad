//! What is read of how things stand.

use std::time::Duration;

use flyball::job::{JobState, Queue, Tag, When};
use flyball::store::{JobFilter, Selection};

use crate::world::{World, completed, kind, promises};

promises! {
    a_list_is_newest_first_paged_and_filtered
    an_overview_names_every_state_and_the_lanes_that_wait
    what_is_not_there_is_not_found
}

async fn a_list_is_newest_first_paged_and_filtered(world: World) {
    let mut jobs = Vec::new();
    for at in 0..5 {
        world.clock.advance(Duration::from_millis(5));
        jobs.push(
            world
                .insert_one(|opts| {
                    opts.kind = kind(if at % 2 == 0 { "even" } else { "odd" });
                    opts.queue = Queue::new(if at < 2 { "low" } else { "high" }).unwrap();
                    opts.tags = vec![Tag::new(&format!("t{at}")).unwrap(), Tag::new("all").unwrap()];
                    opts.when = if at == 4 { When::In(Duration::from_secs(9)) } else { When::Now };
                })
                .await,
        );
    }
    let list = async |filter: JobFilter| -> Vec<usize> {
        let listed = world.store.page(&filter).await.expect("listed").jobs;
        listed.iter().map(|job| jobs.iter().position(|id| *id == job.id).expect("one of them")).collect()
    };
    let all = JobFilter { limit: 100, ..JobFilter::default() };
    assert_eq!(list(all.clone()).await, [4, 3, 2, 1, 0]);
    assert_eq!(list(JobFilter { limit: 2, ..all.clone() }).await, [4, 3]);
    assert_eq!(list(JobFilter { limit: 2, before: Some(jobs[3]), ..all.clone() }).await, [2, 1]);
    let of = |selection| list(JobFilter { selection, limit: 100, before: None });
    let every = Selection::default;
    let tagged = |tag| Selection { tag: Some(Tag::new(tag).unwrap()), ..every() };
    assert_eq!(of(Selection::kind(kind("odd"))).await, [3, 1]);
    assert_eq!(of(Selection { queue: Some(Queue::new("low").unwrap()), ..every() }).await, [1, 0]);
    assert_eq!(of(tagged("t2")).await, [2]);
    assert_eq!(of(tagged("all")).await.len(), 5);
    assert_eq!(of(every().in_states([JobState::Scheduled, JobState::Paused])).await, [4]);
}

async fn an_overview_names_every_state_and_the_lanes_that_wait(world: World) {
    let first = world.now();
    world.insert(3).await;
    world.advance(1);
    world.insert_one(|opts| opts.kind = kind("other")).await;
    world.insert_one(|opts| opts.when = When::In(Duration::from_secs(9))).await;
    let node = world.node().await;
    for claim in world.claim(node, 2).await.into_iter().take(1) {
        world.end(claim, completed()).await;
    }
    let overview = world.store.overview(world.now()).await.unwrap();
    assert_eq!(overview.states.len(), JobState::ALL.len());
    let count = |state| overview.states[&state];
    assert_eq!((count(JobState::Available), count(JobState::Scheduled)), (2, 1));
    assert_eq!((count(JobState::Running), count(JobState::Succeeded)), (1, 1));
    assert_eq!(count(JobState::Discarded), 0);
    let lanes: Vec<_> =
        overview.lanes.iter().map(|lane| (lane.kind.as_str(), lane.available, lane.oldest_due)).collect();
    assert_eq!(lanes, [("other", 1, world.now()), ("work", 1, first)]);
}

async fn what_is_not_there_is_not_found(world: World) {
    let nobody = flyball::job::JobId::mint(world.now());
    assert_eq!(world.store.job(nobody).await.unwrap(), None);
    assert!(world.store.runs(nobody).await.unwrap().is_empty());
    world.store.ping().await.unwrap();
    let claim = world.running().await.1;
    assert!(world.store.log(claim.run, flyball::store::LogPart::ALL).await.unwrap().is_empty());
}

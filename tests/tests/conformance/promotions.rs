//! What has become due is made available.

use std::time::Duration;

use flyball::job::{ErrorClass, JobState, When};

use crate::world::{World, failed, promises};

promises! {
    what_is_due_is_promoted_and_the_next_due_time_is_told
    a_promotion_is_bounded_and_takes_what_has_waited_longest
    what_failed_comes_back_when_its_delay_has_passed
}

async fn what_is_due_is_promoted_and_the_next_due_time_is_told(world: World) {
    let soon = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(5))).await;
    let later = world.insert_one(|opts| opts.when = When::In(Duration::from_secs(50))).await;
    let due = |seconds| world.now().after(Duration::from_secs(seconds));
    let promoted = world.store.promote(10, world.now()).await.unwrap();
    assert_eq!((promoted.count, promoted.next_due), (0, Some(due(5))));
    world.advance(5);
    let promoted = world.store.promote(10, world.now()).await.unwrap();
    assert_eq!((promoted.count, promoted.next_due), (1, Some(due(45))));
    assert_eq!(
        (world.state(soon).await, world.state(later).await),
        (JobState::Available, JobState::Scheduled)
    );
    world.advance(45);
    let promoted = world.store.promote(10, world.now()).await.unwrap();
    assert_eq!((promoted.count, promoted.next_due), (1, None));
}

async fn a_promotion_is_bounded_and_takes_what_has_waited_longest(world: World) {
    let mut jobs = Vec::new();
    for seconds in [9, 3, 6] {
        jobs.push(world.insert_one(|opts| opts.when = When::In(Duration::from_secs(seconds))).await);
    }
    world.advance(10);
    let promoted = world.store.promote(2, world.now()).await.unwrap();
    assert_eq!((promoted.count, promoted.next_due), (2, Some(world.now())), "more may be due");
    assert_eq!(world.state(jobs[0]).await, JobState::Scheduled);
    assert_eq!(world.store.promote(2, world.now()).await.unwrap().count, 1);
}

async fn what_failed_comes_back_when_its_delay_has_passed(world: World) {
    let (node, claim) = world.running().await;
    let job = claim.job;
    world.end(claim, failed(ErrorClass::Transient)).await;
    assert_eq!(world.store.promote(9, world.now()).await.unwrap().count, 0);
    assert!(world.claim(node, 1).await.is_empty());
    world.advance(2);
    assert_eq!(world.store.promote(9, world.now()).await.unwrap().count, 1);
    let claim = world.claim(node, 1).await.pop().unwrap();
    assert_eq!((claim.job, claim.tries.attempt, claim.tries.failures), (job, 2, 1));
}

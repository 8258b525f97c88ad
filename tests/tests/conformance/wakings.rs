//! Who waits for work is woken: in this process, and in others.

use std::time::Duration;

use flyball::job::{ErrorClass, Release, Verdict, When};
use flyball::wake::{Line, Listener};
use flyball_tests::{GENEROUS, eventually};

use crate::world::{World, cancelling, failed, promises, retrying};

promises! {
    what_becomes_available_rings_in_this_process
    a_ring_for_what_is_due_comes_only_if_it_is_due_earlier
    another_process_hears_work_and_cancels
}

/// Whoever begins to hear others is rung once, for what it may have missed before.
async fn settled(world: &World) {
    let hears = eventually(GENEROUS, "others to be heard", async || world.store.hears_others().then_some(()));
    hears.await.unwrap();
}

async fn heard(listener: &mut Listener) -> bool {
    tokio::time::timeout(Duration::from_millis(1), listener.heard()).await.is_ok()
}

async fn what_becomes_available_rings_in_this_process(world: World) {
    settled(&world).await;
    let node = world.node().await;
    let mut work = world.store.bell().listen(Line::Work);
    world.insert(2).await;
    assert!(heard(&mut work).await, "an insert");
    let mut claims = world.claim(node, 2).await;
    assert!(!heard(&mut work).await, "a claim makes nothing available");
    world.end(claims.pop().unwrap(), Verdict::Released(Release::Drain)).await;
    assert!(heard(&mut work).await, "a release");
    world.end(claims.pop().unwrap(), failed(ErrorClass::Transient)).await;
    assert!(!heard(&mut work).await, "a retry waits");
    world.advance(5);
    world.store.promote(9, world.now()).await.unwrap();
    assert!(heard(&mut work).await, "a promotion");
    let cancelled = world.insert(1).await;
    assert!(heard(&mut work).await);
    let mut cancels = world.store.bell().listen(Line::Cancel);
    world.store.order(&cancelling(world.now()), &cancelled, world.now()).await.unwrap();
    assert!(!heard(&mut cancels).await, "nobody runs it");
    world.store.order(&retrying(world.now()), &cancelled, world.now()).await.unwrap();
    assert!(heard(&mut work).await, "an operator's retry");
    let running = world.claim(node, 9).await.pop().unwrap().job;
    world.store.order(&cancelling(world.now()), &[running], world.now()).await.unwrap();
    assert!(heard(&mut cancels).await, "a cancel of what runs");
}

async fn a_ring_for_what_is_due_comes_only_if_it_is_due_earlier(world: World) {
    settled(&world).await;
    let mut due = world.store.bell().listen(Line::Due);
    let later = |seconds| world.insert_one(move |opts| opts.when = When::In(Duration::from_secs(seconds)));
    later(60).await;
    assert!(heard(&mut due).await, "the first");
    later(90).await;
    assert!(!heard(&mut due).await, "the promoter looks before that as it is");
    later(30).await;
    assert!(heard(&mut due).await, "earlier than any before");
    world.advance(40);
    world.store.promote(9, world.now()).await.unwrap();
    later(10).await;
    assert!(heard(&mut due).await, "earlier than the one at 60 s, after that at 30 s is gone");
}

async fn another_process_hears_work_and_cancels(world: World) {
    let other = world.other().await;
    let hears = eventually(GENEROUS, "both to hear each other", async || {
        (other.hears_others() && world.store.hears_others()).then_some(())
    });
    hears.await.unwrap();
    let (mut work, mut cancels) = (other.bell().listen(Line::Work), other.bell().listen(Line::Cancel));
    let (_, claim) = world.running().await;
    tokio::time::timeout(GENEROUS, work.heard()).await.expect("work is heard");
    world.store.order(&cancelling(world.now()), &[claim.job], world.now()).await.unwrap();
    tokio::time::timeout(GENEROUS, cancels.heard()).await.expect("a cancel is heard");
    other.close().await;
}

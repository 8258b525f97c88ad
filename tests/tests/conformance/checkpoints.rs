//! What one attempt leaves for the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flyball::job::{Claim, ErrorClass, Evidence, JobId, JobState, Release, RetryPolicy, Verdict};
use flyball::store::CheckpointSave;

use crate::barriers::lose;
use crate::world::{World, completed, failed, promises, retrying};

promises! {
    what_was_saved_last_is_stored_with_the_end_and_there_for_the_next_attempt
    a_checkpoint_outlives_a_crash
    a_checkpoint_of_an_attempt_that_is_over_is_ignored
    a_save_that_comes_after_a_later_one_is_ignored
    a_checkpoint_goes_when_the_job_succeeds_and_stays_for_a_retry_by_an_operator
    an_attempt_that_comes_too_late_stores_no_checkpoint_with_its_end
}

fn data(text: &str) -> Arc<[u8]> {
    text.as_bytes().into()
}

/// Each save has a later number than any before.
async fn save(world: &World, claim: &Claim, text: &str) {
    static LAST: AtomicU64 = AtomicU64::new(0);
    save_as(world, claim, LAST.fetch_add(1, Ordering::Relaxed), text).await;
}

async fn save_as(world: &World, claim: &Claim, number: u64, text: &str) {
    let save = CheckpointSave { job: claim.job, run: claim.run, number, data: data(text) };
    world.store.save_checkpoint(&save, world.now()).await.unwrap();
}

async fn stored(world: &World, job: JobId) -> Option<String> {
    let stored = world.store.checkpoint(job).await.unwrap();
    stored.map(|data| String::from_utf8(data.to_vec()).unwrap())
}

/// Ends an attempt that saved this last.
async fn end(world: &World, claim: Claim, verdict: Verdict, saved: &str) -> flyball::store::Settled {
    let evidence = Evidence { checkpoint: Some(data(saved)), ..Evidence::default() };
    world.finalize(&claim.settle(verdict, evidence, &RetryPolicy::default(), world.now())).await
}

/// The next attempt at the only job.
async fn next(world: &World) -> Claim {
    world.advance(120);
    world.store.promote(9, world.now()).await.unwrap();
    let node = world.node().await;
    world.claim(node, 1).await.pop().expect("it is there to be claimed")
}

async fn what_was_saved_last_is_stored_with_the_end_and_there_for_the_next_attempt(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    assert!(!claim.checkpoint, "a first attempt has none");
    assert_eq!(stored(&world, job).await, None);
    save(&world, &claim, "one").await;
    save(&world, &claim, "two").await;
    assert_eq!(stored(&world, job).await.as_deref(), Some("two"));
    end(&world, claim, failed(ErrorClass::Transient), "three").await;
    let mut saved = "three".to_owned();
    let release = Verdict::Released(Release::Drain);
    let snooze = Verdict::Snoozed { delay: std::time::Duration::from_secs(1) };
    for (n, verdict) in [release, snooze, failed(ErrorClass::Timeout)].into_iter().enumerate() {
        let claim = next(&world).await;
        assert!(claim.checkpoint);
        assert_eq!(stored(&world, job).await, Some(saved));
        saved = format!("number {n}");
        end(&world, claim, verdict, &saved).await;
    }
    // An attempt that saves nothing leaves what is there.
    world.end(next(&world).await, failed(ErrorClass::Transient)).await;
    assert!(next(&world).await.checkpoint);
    assert_eq!(stored(&world, job).await, Some(saved));
}

async fn a_checkpoint_outlives_a_crash(world: World) {
    let (_, claim) = world.running().await;
    save(&world, &claim, "one").await;
    lose(&world).await;
    let claim = next(&world).await;
    assert!(claim.checkpoint);
    assert_eq!(stored(&world, claim.job).await.as_deref(), Some("one"));
}

pub(crate) async fn a_checkpoint_of_an_attempt_that_is_over_is_ignored(world: World) {
    let (_, first) = world.running().await;
    save(&world, &first, "first").await;
    lose(&world).await;
    let second = next(&world).await;
    save(&world, &first, "late").await;
    let kept = stored(&world, second.job).await;
    assert_eq!(kept.as_deref(), Some("first"), "a stale token stored a checkpoint");
    save(&world, &second, "second").await;
    assert_eq!(stored(&world, second.job).await.as_deref(), Some("second"));
}

pub(crate) async fn a_save_that_comes_after_a_later_one_is_ignored(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    for (number, text) in [(7, "first"), (9, "last"), (8, "late")] {
        save_as(&world, &claim, number, text).await;
    }
    let kept = stored(&world, job).await;
    assert_eq!(kept.as_deref(), Some("last"), "a save that came late took the place of a later one");
    // Every attempt counts its own.
    lose(&world).await;
    let claim = next(&world).await;
    save_as(&world, &claim, 0, "the next attempt").await;
    assert_eq!(stored(&world, job).await.as_deref(), Some("the next attempt"));
    end(&world, claim, failed(ErrorClass::Transient), "its end").await;
    save_as(&world, &next(&world).await, 0, "the one after").await;
    assert_eq!(stored(&world, job).await.as_deref(), Some("the one after"));
}

async fn a_checkpoint_goes_when_the_job_succeeds_and_stays_for_a_retry_by_an_operator(world: World) {
    let (_, claim) = world.running().await;
    let job = claim.job;
    save(&world, &claim, "one").await;
    end(&world, claim, failed(ErrorClass::Permanent), "two").await;
    assert_eq!(world.state(job).await, JobState::Discarded);
    world.store.order(&retrying(world.now()), &[job], world.now()).await.unwrap();
    let claim = next(&world).await;
    assert!(claim.checkpoint);
    assert_eq!(stored(&world, job).await.as_deref(), Some("two"));
    // It needs it no more, though this attempt neither loaded nor saved.
    world.end(claim, completed()).await;
    assert_eq!(stored(&world, job).await, None);
    // Nor does one that saved and succeeded at its first attempt.
    let (_, claim) = world.running().await;
    let job = claim.job;
    save(&world, &claim, "one").await;
    end(&world, claim, completed(), "one").await;
    assert_eq!(stored(&world, job).await, None);
}

async fn an_attempt_that_comes_too_late_stores_no_checkpoint_with_its_end(world: World) {
    let (_, first) = world.running().await;
    lose(&world).await;
    let second = next(&world).await;
    save(&world, &second, "second").await;
    let settled = end(&world, first, failed(ErrorClass::Transient), "late").await;
    assert_eq!(settled, flyball::store::Settled::Superseded);
    assert_eq!(stored(&world, second.job).await.as_deref(), Some("second"));
}

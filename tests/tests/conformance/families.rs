//! Attempts that ask for jobs: many of them, and in families that grow.

use flyball::job::{Claim, Completion, ErrorClass, JobState, Lineage, NewJob, Outcome, Settlement, Verdict};
use flyball::store::{JobFilter, Selection, Settled, SharedStore};

use crate::world::{World, completed, promises};

promises! {
    what_asks_for_nothing_does_not_wait_for_what_asks_for_many_jobs
    an_attempt_that_asks_for_many_jobs_gets_them_all
    a_family_grows_up_to_its_limit_and_no_further
    children_that_a_client_enqueues_count_for_their_family
}

fn children(world: &World, claim: &Claim, count: usize) -> Vec<NewJob> {
    (0..count).map(|_| world.job(|opts| opts.lineage = claim.child_lineage())).collect()
}

fn asks(world: &World, claim: Claim, count: usize) -> Settlement {
    let follow_ups = children(world, &claim, count);
    world.settle(claim, Verdict::Completed(Completion { follow_ups, ..Completion::default() }))
}

async fn what_asks_for_nothing_does_not_wait_for_what_asks_for_many_jobs(world: World) {
    let node = world.node().await;
    world.insert(3).await;
    let mut claims = world.claim(node, 3).await;
    let plain = world.settle(claims.pop().unwrap(), completed());
    let mut batch: Vec<_> = claims.into_iter().map(|claim| asks(&world, claim, 4000)).collect();
    batch.push(plain.clone());
    let in_states = Selection::default().in_states([JobState::Running]);
    let running = JobFilter { selection: in_states, limit: 9, ..JobFilter::default() };
    let look = async {
        loop {
            let running = world.store.page(&running).await.unwrap().jobs;
            if running.len() < 3 {
                break running.into_iter().map(|job| job.id).collect::<Vec<_>>();
            }
        }
    };
    let (settled, running) = tokio::join!(world.store.finalize(&batch, world.now()), look);
    assert!(!running.is_empty(), "one transaction for all of them");
    assert!(!running.contains(&plain.job), "a plain outcome waited for the follow-ups of others");
    let follow_ups = settled.unwrap().into_iter().map(|settled| match settled {
        Settled::Advanced { follow_ups, .. } => follow_ups.len(),
        Settled::Superseded => panic!("superseded"),
    });
    assert_eq!(follow_ups.collect::<Vec<_>>(), [4000, 4000, 0], "in the order of the batch");
}

async fn an_attempt_that_asks_for_many_jobs_gets_them_all(world: World) {
    let (_, claim) = world.running().await;
    let parent = claim.job;
    let batch = [asks(&world, claim, 2500)];
    let before = world.store.statements();
    let first = world.store.finalize(&batch, world.now()).await.unwrap();
    // BEGIN, the family, settling (up to three), three inserts, the count, COMMIT.
    assert!(world.store.statements() - before <= 10, "{}", world.store.statements() - before);
    let again = world.store.finalize(&batch, world.now()).await.unwrap();
    assert_eq!(again, first, "a repeat answers the same");
    assert_eq!(world.run(parent).await.enqueued_children, 2500);
    let states = world.store.overview(world.now()).await.unwrap().states;
    assert_eq!(states[&JobState::Available], 2500);
}

fn refused(settled: &Settled) -> bool {
    let expected =
        Settled::Advanced { state: JobState::Discarded, outcome: Outcome::Error, follow_ups: Vec::new() };
    *settled == expected
}

async fn claim(world: &World, store: &SharedStore, count: usize) -> Vec<Claim> {
    let node = world.store.nodes().await.unwrap()[0].id;
    let claims = store.claim(&world.request(node, count), world.now()).await.unwrap().claims;
    assert_eq!(claims.len(), count);
    claims
}

/// A root with three children; a family may have five that have not ended.
pub(crate) async fn a_family_grows_up_to_its_limit_and_no_further(world: World) {
    let store = world.other_with(|options| options.max_descendants = 5).await;
    let finalize = async |batch: &[Settlement]| store.finalize(batch, world.now()).await.unwrap();
    let (_, root) = world.running().await;
    finalize(&[asks(&world, root, 3)]).await;
    // A job of no family is none of its business.
    let other = world.insert(1).await[0];
    let mut claims = claim(&world, &store, 4).await;
    let plain = claims.remove(claims.iter().position(|claim| claim.job == other).unwrap());
    let mut claims = claims.into_iter();
    let mut next = |count| asks(&world, claims.next().unwrap(), count);
    let (stays, grows, bursts) = (next(1), next(2), next(3));
    let batch = [stays, grows, bursts.clone(), world.settle(plain, completed())];
    let settled = finalize(&batch).await;
    assert!(refused(&settled[2]), "a family grew past its limit: {settled:?}");
    let went: Vec<bool> = settled
        .iter()
        .map(|settled| matches!(settled, Settled::Advanced { outcome: Outcome::Success, .. }))
        .collect();
    assert_eq!(went, [true, true, false, true]);
    let run = world.run(bursts.job).await;
    assert_eq!((run.outcome, run.error_class), (Outcome::Error, Some(ErrorClass::Permanent)));
    assert!(run.error_message.unwrap().contains("more than 5 below it"));
    for child in &bursts.follow_ups {
        assert_eq!(world.store.job(child.id).await.unwrap(), None, "its follow-ups are dropped");
    }
    assert_eq!(finalize(&batch).await, settled, "a repeat answers the same");
    // Three have not ended. When two more have, there is room again.
    let mut claims = claim(&world, &store, 3).await;
    let last = claims.pop().unwrap();
    let ended: Vec<_> = claims.into_iter().map(|claim| asks(&world, claim, 0)).collect();
    finalize(&ended).await;
    let settled = finalize(&[asks(&world, last, 5)]).await;
    assert!(matches!(settled[0], Settled::Advanced { outcome: Outcome::Success, .. }), "{settled:?}");
    store.close().await;
}

async fn children_that_a_client_enqueues_count_for_their_family(world: World) {
    let store = world.other_with(|options| options.max_descendants = 3).await;
    let (_, root) = world.running().await;
    let child = world.insert_one(|opts| opts.lineage = Lineage::child_of(root.job)).await;
    let grandchild = world.insert_one(|opts| opts.lineage = Lineage::child_of(child)).await;
    let read = world.read(grandchild).await;
    assert_eq!((read.parent_id, read.root_id, read.depth), (Some(child), Some(root.job), 2));
    let settled = store.finalize(&[asks(&world, root, 2)], world.now()).await.unwrap();
    assert!(refused(&settled[0]), "two more than the two that a client enqueued: {settled:?}");
    store.close().await;
}

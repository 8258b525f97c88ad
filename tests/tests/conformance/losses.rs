//! Nodes are lost: what they ran is taken back, and nobody is charged for it.

use flyball::job::{
    Claim, ErrorClass, JobId, JobState, LossPolicy, NodeId, Outcome, Release, SettledBy, Verdict,
};
use flyball::store::{Database, Settled, StoreError, Swept, Turn};

use crate::world::{World, cancelling, completed, failed, promises, retrying};

promises! {
    what_a_dead_node_ran_is_taken_back_and_not_charged
    only_a_job_that_ran_alone_is_discarded_for_a_loss
    a_last_chance_is_claimed_only_when_asked_for_and_one_at_a_time
    crashes_are_forgotten_when_a_run_ends_and_kept_when_it_is_released
    a_cancel_that_was_asked_of_a_lost_job_is_carried_out
    a_node_that_was_marked_lost_is_told_so_by_everything_that_it_does
}

/// The node dies, and its death is found: on SQLite by the next start, on PostgreSQL by another node's sweep. Answers
/// what was taken back.
async fn lose(world: &World, sweeper: &mut Option<NodeId>) -> Swept {
    match world.database {
        Database::Sqlite => {
            let reclaimed = world.register(NodeId::mint(world.now())).await.reclaimed;
            Swept { reclaimed, ..Swept::default() }
        }
        Database::Postgres => {
            let node = match *sweeper {
                Some(node) => node,
                None => *sweeper.insert(world.node().await),
            };
            // Until the sweeper has been steady for a lease, and the dead node's has passed.
            world.live(4, &[(node, &[])]).await;
            world.store.sweep(&world.sweep(node), world.now()).await.expect("swept")
        }
    }
}

async fn available_again(world: &World, job: JobId) {
    world.advance(5);
    world.store.promote(99, world.now()).await.unwrap();
    assert_eq!(world.state(job).await, JobState::Available);
}

async fn next_claim(world: &World, job: JobId, turn: Turn) -> Claim {
    let node = world.node().await;
    let mut request = world.request(node, 1);
    request.turn = turn;
    let claim = world.take(&request).await.pop().expect("it is there to be claimed");
    assert_eq!(claim.job, job);
    claim
}

pub(crate) async fn what_a_dead_node_ran_is_taken_back_and_not_charged(world: World) {
    let (node, claim) = world.running().await;
    let (job, run) = (claim.job, claim.run);
    let swept = lose(&world, &mut None).await;
    let [reclaimed] = swept.reclaimed.as_slice() else { panic!("{swept:?}") };
    assert_eq!((reclaimed.job, reclaimed.run, reclaimed.node), (job, run, Some(node)));
    assert_eq!((reclaimed.outcome, reclaimed.transition.state()), (Outcome::Crashed, JobState::Retryable));
    let read = world.read(job).await;
    assert_eq!((read.state, read.crashes, read.failures), (JobState::Retryable, 1, 0));
    assert_eq!(Some(read.scheduled_at), reclaimed.transition.due());
    let kept = world.run(job).await;
    let by = match world.database {
        Database::Sqlite => SettledBy::Start,
        Database::Postgres => SettledBy::Sweep,
    };
    assert_eq!((kept.outcome, kept.settled_by), (Outcome::Crashed, Some(by)));
    assert!(kept.finished_at.is_some());
    assert_eq!(world.end(claim, completed()).await, Settled::Superseded, "its late word comes too late");
    assert_eq!(world.run(job).await.late_outcome, Some(Outcome::Success));
    let nodes = world.store.nodes().await.unwrap();
    let lost = nodes.iter().find(|record| record.id == node).unwrap();
    assert!(lost.lost_at.is_some() && lost.left_at.is_none());
}

async fn only_a_job_that_ran_alone_is_discarded_for_a_loss(world: World) {
    let (_, claim) = world.running().await;
    let (job, mut sweeper) = (claim.job, None);
    for (crashes, turn) in [(1, Turn::Fresh), (2, Turn::LastChance)] {
        lose(&world, &mut sweeper).await;
        let read = world.read(job).await;
        assert_eq!((read.state, read.crashes), (JobState::Retryable, crashes));
        assert_eq!(read.last_chance, crashes == 2);
        available_again(&world, job).await;
        let claim = next_claim(&world, job, turn).await;
        assert_eq!(claim.last_chance, crashes == 2);
    }
    let swept = lose(&world, &mut sweeper).await;
    assert_eq!(swept.reclaimed[0].transition.state(), JobState::Discarded);
    let read = world.read(job).await;
    assert_eq!((read.state, read.crashes, read.failures), (JobState::Discarded, 3, 0));
    // An operator's retry begins anew.
    world.store.order(&retrying(world.now()), &[job], world.now()).await.unwrap();
    let read = world.read(job).await;
    assert_eq!((read.crashes, read.last_chance, read.attempt), (0, false, 3));
}

async fn a_last_chance_is_claimed_only_when_asked_for_and_one_at_a_time(world: World) {
    let last = world.insert(2).await;
    let fresh = world.insert(1).await[0];
    let ids = last.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    world.sql(&format!("UPDATE flyball.jobs SET last_chance = true, crashes = 2 WHERE id IN ({ids})")).await;
    let node = world.node().await;
    let claimed = world.store.claim(&world.request(node, 9), world.now()).await.unwrap();
    assert_eq!(claimed.claims.iter().map(|claim| claim.job).collect::<Vec<_>>(), [fresh]);
    assert!(claimed.last_chances, "the dispatcher is told that one waits");
    let mut foreign = world.request(node, 9);
    foreign.kinds = vec![crate::world::served("other")];
    assert!(!world.store.claim(&foreign, world.now()).await.unwrap().last_chances, "none in these lanes");
    for (waits, left) in [(true, 1), (false, 0)] {
        let mut request = world.request(node, 9);
        request.turn = Turn::LastChance;
        let claimed = world.store.claim(&request, world.now()).await.unwrap();
        assert_eq!((claimed.claims.len(), claimed.last_chances), (1, waits), "{left} left");
        assert!(claimed.claims[0].last_chance);
        let again = world.store.claim(&request, world.now()).await.unwrap();
        assert_eq!(again.claims[0].job, claimed.claims[0].job, "a repeat answers the same");
    }
}

async fn crashes_are_forgotten_when_a_run_ends_and_kept_when_it_is_released(world: World) {
    let verdicts = [
        (Verdict::Released(Release::Drain), 2, true),
        (failed(ErrorClass::Transient), 0, false),
        (completed(), 0, false),
    ];
    for (verdict, crashes, last_chance) in verdicts {
        let line = format!("{verdict:?}");
        let job = world.insert(1).await[0];
        world
            .sql(&format!("UPDATE flyball.jobs SET last_chance = true, crashes = 2 WHERE id = '{job}'"))
            .await;
        let claim = next_claim(&world, job, Turn::LastChance).await;
        world.end(claim, verdict).await;
        let read = world.read(job).await;
        assert_eq!((read.crashes, read.last_chance), (crashes, last_chance), "{line}");
        world.sql("UPDATE flyball.jobs SET state = 'paused' WHERE state IN ('available', 'retryable')").await;
    }
}

async fn a_cancel_that_was_asked_of_a_lost_job_is_carried_out(world: World) {
    let (_, claim) = world.running().await;
    world.store.order(&cancelling(world.now()), &[claim.job], world.now()).await.unwrap();
    let swept = lose(&world, &mut None).await;
    assert_eq!(swept.reclaimed[0].transition.state(), JobState::Cancelled);
    assert_eq!(world.state(claim.job).await, JobState::Cancelled);
    assert_eq!(world.run(claim.job).await.outcome, Outcome::Crashed);
}

pub(crate) async fn a_node_that_was_marked_lost_is_told_so_by_everything_that_it_does(world: World) {
    let (node, claim) = world.running().await;
    lose(&world, &mut None).await;
    let renewed = world.store.renew(&world.renewal(node, &[claim.run]), world.now()).await;
    assert!(matches!(renewed, Err(StoreError::NodeLost)), "a lost node does not renew: {renewed:?}");
    let claimed = world.store.claim(&world.request(node, 1), world.now()).await;
    assert!(matches!(claimed, Err(StoreError::NodeLost)), "a lost node claims nothing: {claimed:?}");
    let activity = flyball::store::Activity { name: "sweep", node, lease: crate::world::LEASE };
    assert!(!world.store.hold(&activity, world.now()).await.unwrap());
    if world.database == Database::Postgres {
        let swept = world.store.sweep(&world.sweep(node), world.now()).await;
        assert!(matches!(swept, Err(StoreError::NodeLost)), "{swept:?}");
    }
    let policy = LossPolicy::default();
    assert_eq!(policy.max_crashes, 3, "what the tests above count on");
}

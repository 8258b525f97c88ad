//! What is enqueued when a job is discarded, by whatever road.

use flyball::job::{
    ErrorClass, ExecutorClass, InsertOpts, JobId, JobRecord, JobState, Key, NodeId, OnDiscard, Queue, Verdict,
};
use flyball::store::{Classes, JobFilter, Selection, Turn};

use crate::barriers::{cancel, lose};
use crate::world::{World, completed, failed, kind, promises, retrying};

promises! {
    a_discard_enqueues_what_was_asked_for_in_its_lane_and_of_its_request
    every_further_discard_enqueues_it_again
    what_ends_otherwise_enqueues_nothing
    a_loss_that_discards_enqueues_what_was_asked_for
    a_job_that_cannot_be_read_enqueues_what_was_asked_for
    what_the_host_itself_would_not_take_is_enqueued_as_it_was_asked_for
    what_nobody_can_enqueue_keeps_no_discard_from_being_stored
}

fn tells(opts: &mut InsertOpts) {
    opts.on_discard = Some(OnDiscard { kind: kind("tell"), args: r#"{"who": "us"}"#.into() });
}

/// All jobs of the kind `tell`.
async fn told(world: &World) -> Vec<JobRecord> {
    let selection = Selection { kind: Some(kind("tell")), ..Selection::default() };
    let filter = JobFilter { selection, limit: 9, before: None };
    world.store.page(&filter).await.unwrap().jobs
}

async fn claim(world: &World) -> flyball::job::Claim {
    let node = world.node().await;
    let mut request = world.request(node, 1);
    request.classes = Classes::Every;
    world.take(&request).await.pop().expect("claimed")
}

async fn a_discard_enqueues_what_was_asked_for_in_its_lane_and_of_its_request(world: World) {
    let job = world
        .insert_one(|opts| {
            tells(opts);
            opts.queue = Queue::new("mail").unwrap();
            opts.executor_class = ExecutorClass::new("gpu").unwrap();
            opts.unique_key = Some(Key::new("once").unwrap());
            opts.metadata = Some(r#"{"request_id":"r-1","free":1,"traceparent":"00-ab"}"#.into());
        })
        .await;
    let claim = claim(&world).await;
    let run = claim.run;
    world.advance(3);
    world.end(claim, failed(ErrorClass::Validation)).await;
    let told = told(&world).await;
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((told.args.as_str(), told.state), (r#"{"who":"us"}"#, JobState::Available));
    assert_eq!((told.queue.as_str(), told.executor_class.as_str()), ("mail", "gpu"));
    assert_eq!((told.parent_id, told.parent_run_id, told.root_id), (Some(job), Some(run), Some(job)));
    assert_eq!((told.depth, told.created_at, told.unique_key.as_deref()), (1, world.now(), None));
    assert_eq!(told.metadata.as_str(), r#"{"request_id":"r-1","traceparent":"00-ab"}"#);
    assert_eq!(told.on_discard, None);
}

async fn every_further_discard_enqueues_it_again(world: World) {
    let job = world.insert_one(tells).await;
    for times in 1..=2 {
        let settlement = world.settle(claim(&world).await, failed(ErrorClass::Permanent));
        world.finalize(&settlement).await;
        // A repeat is not a discard.
        world.finalize(&settlement).await;
        assert_eq!(told(&world).await.len(), times);
        world.store.order(&retrying(world.now()), &[job], world.now()).await.unwrap();
    }
}

async fn what_ends_otherwise_enqueues_nothing(world: World) {
    let verdicts = [
        completed(),
        Verdict::Cancelled { reason: "enough".into() },
        Verdict::Stopped,
        failed(ErrorClass::Transient),
    ];
    for verdict in verdicts {
        let job = world.insert_one(tells).await;
        world.end(claim(&world).await, verdict).await;
        cancel(&world, job).await;
    }
    cancel(&world, world.insert_one(tells).await).await;
    assert_eq!(told(&world).await, []);
}

async fn a_loss_that_discards_enqueues_what_was_asked_for(world: World) {
    let job = world.insert_one(tells).await;
    world.sql(&format!("UPDATE flyball.jobs SET last_chance = true, crashes = 2 WHERE id = '{job}'")).await;
    let node = world.node().await;
    let mut request = world.request(node, 1);
    request.turn = Turn::LastChance;
    assert_eq!(world.take(&request).await.len(), 1);
    lose(&world).await;
    assert_eq!(world.state(job).await, JobState::Discarded);
    assert_eq!(told(&world).await.len(), 1);
}

async fn a_job_that_cannot_be_read_enqueues_what_was_asked_for(world: World) {
    let job = world.insert_one(tells).await;
    let node = world.node().await;
    fails_to_be_claimed(&world, node, job).await;
    assert_eq!(world.state(job).await, JobState::Discarded);
    assert_eq!(told(&world).await.len(), 1);
}

async fn what_the_host_itself_would_not_take_is_enqueued_as_it_was_asked_for(world: World) {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let cases = [deep, "9".repeat(70), format!("{{\"a\":{}}}", "9".repeat(25)), r#"{"a":1,"a":2}"#.into()];
    for (n, args) in cases.iter().enumerate() {
        let job = world.insert_one(tells).await;
        let kept = format!(r#"{{"kind":"tell","args":{args}}}"#);
        world.sql(&format!("UPDATE flyball.jobs SET on_discard = '{kept}' WHERE id = '{job}'")).await;
        world.end(claim(&world).await, failed(ErrorClass::Permanent)).await;
        let told = told(&world).await;
        assert_eq!(told.len(), n + 1, "{args} is lost");
        let follows = told.iter().find(|told| told.parent_id == Some(job)).unwrap();
        assert_eq!(follows.args.as_str(), args, "as it was asked for");
    }
}

async fn what_nobody_can_enqueue_keeps_no_discard_from_being_stored(world: World) {
    for kept in ["7", r#"{"kind":"No Kind","args":1}"#] {
        let job = world.insert_one(tells).await;
        world.sql(&format!("UPDATE flyball.jobs SET on_discard = '{kept}' WHERE id = '{job}'")).await;
        world.end(claim(&world).await, failed(ErrorClass::Permanent)).await;
        assert_eq!(world.state(job).await, JobState::Discarded, "{kept}");
    }
    assert_eq!(told(&world).await, []);
}

/// What another program wrote there is none of ours, and goes.
pub(crate) async fn fails_to_be_claimed(world: &World, node: NodeId, job: JobId) {
    world.sql(&format!("UPDATE flyball.jobs SET depth = -1 WHERE id = '{job}'")).await;
    assert_eq!(world.claim(node, 1).await.len(), 0);
    world.sql(&format!("UPDATE flyball.jobs SET depth = 1 WHERE id = '{job}'")).await;
}

//! What operators ordered is on record: who, when, what, and for how many jobs.

use flyball::job::{ActionId, Barriers, Operation, Timestamp};
use flyball::store::{ActionFilter, ActionRecord, Flag, Flagged, Scope, Selection};

use crate::world::{World, kind, promises};

promises! {
    an_order_is_on_record_with_who_when_what_and_how_many
    the_batches_of_an_order_are_one_line_of_the_record
    a_repeated_order_is_on_record_once
    the_record_is_read_newest_first_since_a_time_and_so_many_at_most
}

async fn actions(world: &World, since: Timestamp, limit: u32) -> Vec<ActionRecord> {
    world.client().actions(&ActionFilter { since, limit }).await.expect("read")
}

async fn an_order_is_on_record_with_who_when_what_and_how_many(world: World) {
    let (_, claim) = world.running().await;
    let jobs = [world.insert(2).await, vec![claim.job]].concat();
    world.client().operate(Operation::Pause, &jobs).await.unwrap();
    world.advance(1);
    let queue = Flagged::Queue("mail".parse().unwrap());
    world.client().flag(&queue, Flag::Pause).await.unwrap();
    let read = actions(&world, Timestamp::EPOCH, 10).await;
    let [flagged, paused] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((flagged.what.as_str(), flagged.jobs_changed), ("pause queue mail", 0));
    assert_eq!((paused.who.as_str(), paused.what.as_str()), ("tester", "pause"));
    assert_eq!((paused.jobs_changed, paused.jobs_left, paused.batches), (2, 1, 1), "one of them runs");
    assert!(paused.at < flagged.at && flagged.at == world.now());
    let about = paused.about.as_ref().map(ToString::to_string);
    assert_eq!(about.as_deref(), Some(r#"{"operation":"pause"}"#));
}

async fn the_batches_of_an_order_are_one_line_of_the_record(world: World) {
    world.insert(2500).await;
    let work = Selection::kind(kind("work"));
    let cancel = Operation::Cancel(Barriers::Drop);
    world.client().operate_all(cancel, &work, Scope::Restricted).await.unwrap();
    let read = actions(&world, Timestamp::EPOCH, 10).await;
    let [cancelled] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((cancelled.jobs_changed, cancelled.batches), (2500, 3));
    let about: serde_json::Value = serde_json::from_str(cancelled.about.as_ref().unwrap().as_str()).unwrap();
    assert_eq!(about["selection"]["kind"], "work");
    assert!(about["selection"].get("queue").is_none(), "what restricts nothing is left out: {about}");
}

async fn a_repeated_order_is_on_record_once(world: World) {
    let jobs = world.insert(1).await;
    let action = ActionId::mint(world.now());
    for _ in 0..2 {
        world.client().operate_as(action, Operation::Pause, &jobs).await.unwrap();
        world.advance(1);
    }
    let read = actions(&world, Timestamp::EPOCH, 10).await;
    assert_eq!((read.len(), read[0].jobs_changed), (1, 1));
}

async fn the_record_is_read_newest_first_since_a_time_and_so_many_at_most(world: World) {
    let jobs = world.insert(1).await;
    let mut ids = Vec::new();
    for operation in [Operation::Pause, Operation::Resume, Operation::Pause] {
        world.advance(10);
        let action = ActionId::mint(world.now());
        world.client().operate_as(action, operation, &jobs).await.unwrap();
        ids.insert(0, action);
    }
    let read = async |since, limit| {
        let read = actions(&world, since, limit).await;
        read.iter().map(|action| action.action_id).collect::<Vec<_>>()
    };
    assert_eq!(read(Timestamp::EPOCH, 10).await, ids);
    assert_eq!(read(Timestamp::EPOCH, 2).await, ids[..2]);
    assert_eq!(read(world.now(), 10).await, ids[..1]);
}

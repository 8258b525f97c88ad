//! What the end of jobs enqueues is told of like any other job, by whatever road they end.

use flyball::event::{Consumer, Event};
use flyball::job::{Barriers, ErrorClass, JobId, Key, OnDiscard, Operation, Verdict};
use flyball::store::{JobFilter, ScheduleRan};

use crate::barriers::{Family, fan_out, lose};
use crate::schedules;
use crate::world::{World, completed, failed, kind, order, promises};

promises! {
    what_the_end_of_a_job_enqueues_is_told
    what_an_operator_runs_of_a_schedule_is_told_once
}

/// The jobs that were told of since the last time, in order: which, its kind, and whether it was there before.
fn told(consumer: &mut Consumer) -> Vec<(JobId, String, bool)> {
    let mut told = Vec::new();
    while let Some(event) = consumer.waiting() {
        if let Event::JobEnqueued { job, kind, duplicate, .. } = event {
            told.push((job, kind.to_string(), duplicate));
        }
    }
    told.sort();
    told
}

/// The only job of the kind `tell` beside these.
async fn tells_beside(world: &World, known: &[JobId]) -> JobId {
    let page = world.store.page(&JobFilter { limit: 100, ..JobFilter::default() }).await.unwrap();
    let tells = page.jobs.iter().filter(|job| job.kind == kind("tell") && !known.contains(&job.id));
    let tells: Vec<JobId> = tells.map(|job| job.id).collect();
    assert_eq!(tells.len(), 1, "{tells:?}");
    tells[0]
}

async fn what_the_end_of_a_job_enqueues_is_told(world: World) {
    let mut consumer = world.events.subscribe(100);
    // Follow-ups, one of which is there already.
    let key = Key::new("taken").unwrap();
    let taken = world.insert_one(|opts| {
        opts.unique_key = Some(key.clone());
        opts.kind = kind("nobody");
    });
    let taken = taken.await;
    let (node, claim) = world.running().await;
    let mut completion = fan_out(&world, &claim, 2);
    completion.barrier = None;
    completion.follow_ups[1].unique_key = Some(key);
    let first = completion.follow_ups[0].id;
    world.end(claim, Verdict::Completed(completion)).await;
    let mut expected = vec![(first, "work".to_owned(), false), (taken, "work".to_owned(), true)];
    expected.sort();
    assert_eq!(told(&mut consumer), expected);
    // A continuation, behind the child that an operator ended.
    let claim = world.claim(node, 1).await.pop().expect("the follow-up");
    let family = Family::grow(&world, node, claim, 1).await;
    assert_eq!(told(&mut consumer), [(family.children[0], "work".into(), false)]);
    let cancel = order(Operation::Cancel(Barriers::Fire), world.now());
    world.store.order(&cancel, &family.children, world.now()).await.unwrap();
    assert_eq!(told(&mut consumer), [(family.continuation, "work".into(), false)]);
    let claim = world.claim(node, 1).await.pop().expect("the continuation");
    world.end(claim, completed()).await;
    assert_eq!(told(&mut consumer), []);
    // What a discard enqueues: by its owner, and by a loss.
    let tells = || {
        world.insert_one(|opts| {
            opts.on_discard = Some(OnDiscard { kind: kind("tell"), args: "{}".into() });
            opts.overrides.max_attempts = Some(1);
        })
    };
    tells().await;
    let claim = world.claim(node, 1).await.pop().expect("claimed");
    world.end(claim, failed(ErrorClass::Permanent)).await;
    let first = tells_beside(&world, &[]).await;
    assert_eq!(told(&mut consumer), [(first, "tell".into(), false)]);
    tells().await;
    assert_eq!(world.claim(node, 1).await.len(), 1);
    world.sql("UPDATE flyball.jobs SET last_chance = true, crashes = 2 WHERE state = 'running'").await;
    lose(&world).await;
    let second = tells_beside(&world, &[first]).await;
    assert_eq!(told(&mut consumer), [(second, "tell".into(), false)]);
}

async fn what_an_operator_runs_of_a_schedule_is_told_once(world: World) {
    schedules::keep(&world, &schedules::schedule("often", "@every 10s")).await;
    let mut consumer = world.events.subscribe(100);
    let (order, often) = (schedules::order(world.now()), schedules::slug("often"));
    let ran = world.store.run_schedule(&order, &often, world.now()).await.unwrap();
    assert_eq!(world.store.run_schedule(&order, &often, world.now()).await.unwrap(), ran);
    let ScheduleRan::Enqueued(job) = ran else { panic!("{ran:?}") };
    assert_eq!(told(&mut consumer), [(job, "work".into(), false)]);
}

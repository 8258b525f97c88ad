//! What fires and deletes leaves to others what they hold, and does nothing by a clock that is off. PostgreSQL only,
//! where there are others and a clock of the database's own.

use std::time::Duration;

use flyball::clock::Clock;
use flyball::job::{Remains, RetentionPolicy};
use flyball::store::{Doom, Fired, PruneStep, StoreError};

use crate::leases::{connect, on_postgres, run};
use crate::retention::{ended, walk};
use crate::schedules::{fire, keep, schedule, slug};
use crate::world::World;

on_postgres! {
    a_schedule_that_another_node_has_is_left_to_it
    a_job_that_somebody_holds_is_left_for_the_next_time
    a_time_that_is_far_off_the_databases_fires_and_deletes_nothing
}

pub(crate) async fn a_schedule_that_another_node_has_is_left_to_it(world: World) {
    for name in ["had", "free"] {
        keep(&world, &schedule(name, "@every 10s")).await;
    }
    world.advance(10);
    let mut holder = connect(&world).await;
    run(&mut holder, "BEGIN; SELECT FROM flyball.schedules WHERE slug = 'had' FOR UPDATE").await;
    let fired = world.store.fire(&slug("had"), world.now()).await;
    let fired = fired.unwrap_or_else(|error| panic!("a schedule was held up: {error}"));
    assert_eq!(fired, Fired::Nothing);
    assert_eq!(fire(&world, "free").await.len(), 1);
    run(&mut holder, "ROLLBACK").await;
    assert_eq!(fire(&world, "had").await.len(), 1);
}

async fn a_time_that_is_far_off_the_databases_fires_and_deletes_nothing(world: World) {
    // Without a test's clock the database's own counts.
    let store = world.other_with(|options| options.clock = Clock::anchored()).await;
    let off = store.time().await.unwrap().after(Duration::from_secs(3));
    for refused in [
        store.due_schedules(None, off).await.map(drop),
        store.fire(&slug("any"), off).await.map(drop),
        store
            .prune(&PruneStep::of(RetentionPolicy::default().walks()[0].clone(), Doom::Delete), off)
            .await
            .map(drop),
    ] {
        assert!(matches!(refused, Err(StoreError::Clock { .. })), "{refused:?}");
    }
    let now = store.time().await.unwrap();
    assert!(store.due_schedules(None, now).await.unwrap().is_empty());
    store.close().await;
}

pub(crate) async fn a_job_that_somebody_holds_is_left_for_the_next_time(world: World) {
    let jobs = ended(&world, 3).await;
    world.advance(10);
    let mut holder = connect(&world).await;
    run(&mut holder, format!("BEGIN; SELECT FROM flyball.jobs WHERE id = '{}' FOR UPDATE", jobs[1])).await;
    let step = PruneStep::of(walk(Remains::Succeeded, 5), Doom::Delete);
    let pruned = world.store.prune(&step, world.now()).await;
    assert_eq!(pruned.unwrap_or_else(|error| panic!("a walk was held up: {error}")).jobs, 2);
    run(&mut holder, "ROLLBACK").await;
    assert_eq!(world.store.prune(&step, world.now()).await.unwrap().jobs, 1);
}

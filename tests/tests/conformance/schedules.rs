//! Schedules: kept, switched, reconciled, and fired once for each bucket.

use std::time::Duration;

use flyball::job::{ActionId, InsertOpts, JobRecord, Key, Slug, Timestamp};
use flyball::store::{
    Fired, FiredJob, JobFilter, Reconciled, ScheduleKept, ScheduleRan, ScheduleRemoved, ScheduleSwitched,
    SharedStore, SingleOrder, Switch,
};
use flyball::timing::{Origin, Overlap, Schedule, ScheduleRecord};

use crate::world::{World, completed, kind, promises};

promises! {
    a_schedule_fires_when_it_is_due_and_its_jobs_are_like_any_other
    a_bucket_fires_once_even_if_the_cursor_goes_back
    two_stores_that_race_fire_each_bucket_once
    what_was_missed_is_made_up_for_as_far_as_was_asked
    an_overlap_is_skipped_while_the_last_job_has_not_ended
    a_broken_schedule_is_told_and_starves_no_other
    a_page_of_due_schedules_goes_on_behind_the_last
    a_schedule_that_is_kept_again_keeps_its_cursor
    a_disabled_schedule_does_not_fire_and_one_that_is_enabled_begins_after_now
    a_schedule_that_is_run_enqueues_a_job_of_no_bucket
    a_repeated_order_about_a_schedule_answers_what_was_recorded
    the_schedules_of_a_file_come_and_go_with_it_and_those_of_operators_stay
    what_an_operator_disabled_is_not_undone_by_the_file
    a_row_that_cannot_be_read_is_told_and_keeps_no_other_from_the_file
}

pub(crate) fn order(now: Timestamp) -> SingleOrder {
    SingleOrder { action: ActionId::mint(now), who: "tester".into() }
}

pub(crate) fn slug(name: &str) -> Slug {
    Slug::new(name).unwrap()
}

pub(crate) fn schedule(name: &str, timing: &str) -> Schedule {
    Schedule::new(slug(name), timing.parse().unwrap(), InsertOpts::new(kind("work"), r#"{"a":1}"#))
}

pub(crate) async fn keep(world: &World, schedule: &Schedule) -> ScheduleKept {
    world.store.keep_schedule(&order(world.now()), schedule, world.now()).await.expect("kept")
}

async fn switch(world: &World, name: &str, switch: Switch) -> ScheduleSwitched {
    let (order, slug) = (order(world.now()), slug(name));
    world.store.switch_schedule(&order, &slug, switch, world.now()).await.expect("switched")
}

pub(crate) async fn record(world: &World, name: &str) -> ScheduleRecord {
    let all = world.store.schedules().await.expect("listed");
    all.into_iter().find(|record| record.slug == slug(name)).expect("it is there")
}

pub(crate) async fn fire(world: &World, name: &str) -> Vec<FiredJob> {
    match world.store.fire(&slug(name), world.now()).await.expect("fired") {
        Fired::Moved { jobs, .. } => jobs,
        Fired::Nothing => Vec::new(),
        other @ (Fired::Broken(_) | Fired::StillBroken) => panic!("{other:?}"),
    }
}

async fn jobs(store: &SharedStore) -> Vec<JobRecord> {
    let filter = JobFilter { limit: 1000, ..JobFilter::default() };
    store
        .page(&filter)
        .await
        .expect("listed")
        .jobs
        .into_iter()
        .filter(|job| job.schedule_slug.is_some())
        .collect()
}

fn in_seconds(world: &World, seconds: u64) -> Timestamp {
    world.now().after(Duration::from_secs(seconds))
}

async fn a_schedule_fires_when_it_is_due_and_its_jobs_are_like_any_other(world: World) {
    let mut daily = schedule("nightly", "@every 30s");
    daily.job.priority = 7;
    daily.job.queue = "mail".parse().unwrap();
    daily.job.overrides.max_attempts = Some(3);
    daily.job.tags = vec!["night".parse().unwrap()];
    assert_eq!(keep(&world, &daily).await, ScheduleKept::Added);
    let due = in_seconds(&world, 30);
    assert_eq!(world.store.next_schedule(world.now()).await.unwrap(), Some(due));
    assert!(world.store.due_schedules(None, world.now()).await.unwrap().is_empty());
    assert_eq!(world.store.fire(&slug("nightly"), world.now()).await.unwrap(), Fired::Nothing);
    world.advance(31);
    assert_eq!(world.store.due_schedules(None, world.now()).await.unwrap()[0].slug, slug("nightly"));
    let fired = fire(&world, "nightly").await;
    assert_eq!(fired.len(), 1);
    let job = world.read(fired[0].job).await;
    assert_eq!((job.priority, job.max_attempts, job.scheduled_at), (7, Some(3), due));
    assert_eq!(
        (job.queue.as_str(), job.args.as_str(), job.schedule_slug),
        ("mail", r#"{"a":1}"#, Some("nightly".into()))
    );
    assert_eq!(job.unique_key.as_deref(), Some(Key::of_bucket(&slug("nightly"), due).as_str()));
    let row = record(&world, "nightly").await;
    assert_eq!((row.next_at, row.last_job_id), (Some(in_seconds(&world, 29)), Some(job.id)));
    assert_eq!(row.last_enqueued_at, Some(world.now()));
    let node = world.node().await;
    assert_eq!(world.claim(node, 9).await.len(), 1, "it is available at once");
}

pub(crate) async fn a_bucket_fires_once_even_if_the_cursor_goes_back(world: World) {
    keep(&world, &schedule("often", "@every 10s")).await;
    world.advance(11);
    let first = fire(&world, "often").await;
    let back = match world.database {
        flyball::store::Database::Sqlite => "next_at - 10000000",
        flyball::store::Database::Postgres => "next_at - interval '10 s'",
    };
    world.sql(&format!("UPDATE flyball.schedules SET next_at = {back}")).await;
    let again = fire(&world, "often").await;
    assert!(again[0].repeated && again[0].job == first[0].job, "a bucket fired twice");
    assert_eq!(jobs(&world.store).await.len(), 1, "a bucket fired twice");
}

pub(crate) async fn two_stores_that_race_fire_each_bucket_once(world: World) {
    let other = world.other().await;
    for n in 0..8 {
        keep(&world, &schedule(&format!("s{n}"), "@every 10s")).await;
    }
    for _ in 0..5 {
        world.advance(10);
        let fire_all = async |store: &SharedStore| {
            let mut new = 0;
            for n in 0..8 {
                let fired = store.fire(&slug(&format!("s{n}")), world.now()).await.expect("fired");
                if let Fired::Moved { jobs, .. } = fired {
                    new += jobs.iter().filter(|job| !job.repeated).count();
                }
            }
            new
        };
        let (here, there) = tokio::join!(fire_all(&world.store), fire_all(&other));
        assert_eq!(here + there, 8, "each bucket is fired by one of them");
    }
    assert_eq!(jobs(&world.store).await.len(), 40);
    other.close().await;
}

async fn what_was_missed_is_made_up_for_as_far_as_was_asked(world: World) {
    for (name, backfill_cap) in [("none", 0), ("one", 1), ("three", 3)] {
        keep(&world, &Schedule { backfill_cap, ..schedule(name, "@every 100s") }).await;
    }
    let began = world.now();
    world.advance(1050);
    assert_eq!(fire(&world, "none").await.len(), 1, "what is on time fires");
    assert_eq!(fire(&world, "one").await.len(), 2);
    let three = fire(&world, "three").await;
    let mut due = Vec::new();
    for job in &three {
        due.push(world.read(job.job).await.scheduled_at);
    }
    assert_eq!(due, [700, 800, 900, 1000].map(|s| began.after(Duration::from_secs(s))), "the most recent");
    assert_eq!(record(&world, "three").await.next_at, Some(began.after(Duration::from_secs(1100))));
}

async fn an_overlap_is_skipped_while_the_last_job_has_not_ended(world: World) {
    keep(&world, &Schedule { overlap: Overlap::Skip, ..schedule("alone", "@every 10s") }).await;
    let node = world.node().await;
    world.advance(10);
    assert_eq!(fire(&world, "alone").await.len(), 1);
    world.advance(10);
    let fired = world.store.fire(&slug("alone"), world.now()).await.unwrap();
    assert_eq!(fired, Fired::Moved { jobs: vec![], skipped: 1 });
    let claim = world.claim(node, 1).await.pop().unwrap();
    world.advance(10);
    assert!(fire(&world, "alone").await.is_empty(), "it runs");
    world.end(claim, completed()).await;
    world.advance(10);
    assert_eq!(fire(&world, "alone").await.len(), 1);
}

async fn a_broken_schedule_is_told_and_starves_no_other(world: World) {
    for name in ["a-zone", "b-cron", "c-kind", "d-good"] {
        keep(&world, &schedule(name, "@every 10s")).await;
    }
    let breaks = [
        "UPDATE flyball.schedules SET timezone = 'Mars/Base' WHERE slug = 'a-zone'",
        "UPDATE flyball.schedules SET every_ms = NULL, cron = 'whenever' WHERE slug = 'b-cron'",
        "UPDATE flyball.schedules SET kind = 'No Kind' WHERE slug = 'c-kind'",
    ];
    for sql in breaks {
        world.sql(sql).await;
    }
    world.advance(10);
    let due = world.store.due_schedules(None, world.now()).await.unwrap();
    assert_eq!(due.len(), 4);
    for (name, why) in [("a-zone", "Mars/Base"), ("b-cron", "whenever"), ("c-kind", "No Kind")] {
        let fired = world.store.fire(&slug(name), world.now()).await.unwrap();
        assert!(matches!(&fired, Fired::Broken(error) if error.contains(why)), "{fired:?}");
        assert!(record(&world, name).await.last_error.unwrap().contains(why));
        assert_eq!(world.store.fire(&slug(name), world.now()).await.unwrap(), Fired::StillBroken, "no news");
    }
    assert_eq!(fire(&world, "d-good").await.len(), 1);
    world.sql("UPDATE flyball.schedules SET timezone = 'UTC' WHERE slug = 'a-zone'").await;
    assert_eq!(fire(&world, "a-zone").await.len(), 1);
    assert_eq!(record(&world, "a-zone").await.last_error, None);
}

async fn a_page_of_due_schedules_goes_on_behind_the_last(world: World) {
    for name in ["a", "b", "c"] {
        keep(&world, &schedule(name, "@every 10s")).await;
    }
    world.advance(10);
    let all = world.store.due_schedules(None, world.now()).await.unwrap();
    let rest = world.store.due_schedules(Some(&all[0]), world.now()).await.unwrap();
    assert_eq!(rest, all[1..]);
}

async fn a_schedule_that_is_kept_again_keeps_its_cursor(world: World) {
    let hourly = schedule("hourly", "@every 1h");
    keep(&world, &hourly).await;
    let first = record(&world, "hourly").await;
    world.advance(60);
    assert_eq!(keep(&world, &hourly).await, ScheduleKept::Unchanged);
    assert_eq!(record(&world, "hourly").await, first);
    let mut other = hourly.clone();
    other.job.args = r#"{"a":2}"#.into();
    assert_eq!(keep(&world, &other).await, ScheduleKept::Changed);
    let row = record(&world, "hourly").await;
    assert_eq!(
        (row.next_at, row.args.as_str(), row.created_at),
        (first.next_at, r#"{"a":2}"#, first.created_at)
    );
    assert_eq!(keep(&world, &schedule("hourly", "@every 2h")).await, ScheduleKept::Changed);
    assert_eq!(record(&world, "hourly").await.next_at, Some(in_seconds(&world, 7200)));
}

async fn a_disabled_schedule_does_not_fire_and_one_that_is_enabled_begins_after_now(world: World) {
    keep(&world, &schedule("often", "@every 10s")).await;
    assert_eq!(switch(&world, "often", Switch::Disable).await, ScheduleSwitched::Switched);
    assert_eq!(switch(&world, "often", Switch::Disable).await, ScheduleSwitched::AsItWas);
    world.advance(95);
    assert!(world.store.due_schedules(None, world.now()).await.unwrap().is_empty());
    assert_eq!(world.store.fire(&slug("often"), world.now()).await.unwrap(), Fired::Nothing);
    assert_eq!(switch(&world, "often", Switch::Enable).await, ScheduleSwitched::Switched);
    assert_eq!(record(&world, "often").await.next_at, Some(in_seconds(&world, 5)), "nothing is made up for");
    assert_eq!(switch(&world, "no-such", Switch::Enable).await, ScheduleSwitched::NotFound);
}

async fn a_schedule_that_is_run_enqueues_a_job_of_no_bucket(world: World) {
    keep(&world, &schedule("often", "@every 10s")).await;
    switch(&world, "often", Switch::Disable).await;
    let run = async || {
        let ran = world.store.run_schedule(&order(world.now()), &slug("often"), world.now()).await;
        match ran.expect("run") {
            ScheduleRan::Enqueued(job) => job,
            other @ (ScheduleRan::Broken(_) | ScheduleRan::NotFound) => panic!("{other:?}"),
        }
    };
    let (one, two) = (run().await, run().await);
    assert_ne!(one, two);
    let row = record(&world, "often").await;
    assert_eq!((row.last_job_id, row.next_at), (Some(two), Some(in_seconds(&world, 10))));
    world.advance(5);
    switch(&world, "often", Switch::Enable).await;
    world.advance(5);
    assert!(!fire(&world, "often").await[0].repeated, "the bucket has a key of its own");
}

async fn a_repeated_order_about_a_schedule_answers_what_was_recorded(world: World) {
    let often = schedule("often", "@every 10s");
    let add = order(world.now());
    for _ in 0..2 {
        let kept = world.store.keep_schedule(&add, &often, world.now()).await.unwrap();
        assert_eq!(kept, ScheduleKept::Added);
    }
    let run = order(world.now());
    let first = world.store.run_schedule(&run, &slug("often"), world.now()).await.unwrap();
    assert_eq!(world.store.run_schedule(&run, &slug("often"), world.now()).await.unwrap(), first);
    assert_eq!(jobs(&world.store).await.len(), 1, "a repeat enqueues nothing");
    let remove = order(world.now());
    for _ in 0..2 {
        let removed = world.store.remove_schedule(&remove, &slug("often"), world.now()).await.unwrap();
        assert_eq!(removed, ScheduleRemoved::Removed(Origin::Operator));
    }
    assert!(world.store.run_schedule(&add, &slug("often"), world.now()).await.is_err(), "another order");
}

async fn reconcile(world: &World, schedules: &[Schedule]) -> Reconciled {
    world.store.reconcile_schedules(schedules, world.now()).await.expect("reconciled")
}

async fn the_schedules_of_a_file_come_and_go_with_it_and_those_of_operators_stay(world: World) {
    keep(&world, &schedule("by-hand", "@every 10s")).await;
    let (one, two) = (schedule("one", "@every 10s"), schedule("two", "0 2 * * *"));
    let reconciled = reconcile(&world, &[two.clone(), one.clone()]).await;
    assert_eq!(reconciled.added, [slug("one"), slug("two")]);
    assert_eq!(reconcile(&world, &[one.clone(), two.clone()]).await, Reconciled::default(), "nothing to do");
    assert_eq!(keep(&world, &one).await, ScheduleKept::OfConfig);
    let reconciled = reconcile(&world, std::slice::from_ref(&two)).await;
    assert_eq!(reconciled.deactivated, [slug("one")]);
    let row = record(&world, "one").await;
    assert_eq!((row.active, row.disabled_by), (false, Some(Origin::Config)));
    assert!(record(&world, "by-hand").await.active);
    world.advance(95);
    let reconciled = reconcile(&world, &[one, two.clone(), schedule("by-hand", "@every 1h")]).await;
    assert_eq!((reconciled.changed, reconciled.of_operators), (vec![slug("one")], vec![slug("by-hand")]));
    let row = record(&world, "one").await;
    assert_eq!((row.active, row.next_at), (true, Some(in_seconds(&world, 10))));
    assert_eq!(record(&world, "by-hand").await.every_ms, Some(10_000));
}

async fn what_an_operator_disabled_is_not_undone_by_the_file(world: World) {
    let one = schedule("one", "@every 10s");
    reconcile(&world, std::slice::from_ref(&one)).await;
    switch(&world, "one", Switch::Disable).await;
    let mut changed = one.clone();
    changed.job.priority = 1;
    reconcile(&world, std::slice::from_ref(&changed)).await;
    let row = record(&world, "one").await;
    assert_eq!((row.active, row.priority), (false, 1), "it changes, and stays disabled");
    reconcile(&world, &[]).await;
    reconcile(&world, &[changed]).await;
    assert_eq!(record(&world, "one").await.disabled_by, Some(Origin::Operator));
    switch(&world, "one", Switch::Enable).await;
    assert!(record(&world, "one").await.active);
}

async fn a_row_that_cannot_be_read_is_told_and_keeps_no_other_from_the_file(world: World) {
    let file = ["a", "b", "c"].map(|name| schedule(name, "@every 10s"));
    reconcile(&world, &file[..1]).await;
    keep(&world, &file[1]).await;
    world.sql("UPDATE flyball.schedules SET max_attempts = -1").await;
    let reconciled = reconcile(&world, &file).await;
    assert_eq!(reconciled.added, [slug("c")], "the others are as the file says");
    for (refused, name) in reconciled.refused.iter().zip(["a", "b"]) {
        assert!(refused.0 == slug(name) && refused.1.contains("max_attempts"), "{refused:?}");
    }
    assert_eq!(reconciled.refused.len(), 2);
    assert!(matches!(switch(&world, "a", Switch::Disable).await, ScheduleSwitched::Broken(_)));
    world.advance(10);
    assert_eq!(fire(&world, "c").await.len(), 1, "the others fire");
    let fired = world.store.fire(&slug("a"), world.now()).await.unwrap();
    assert!(matches!(&fired, Fired::Broken(why) if why.contains("max_attempts")), "{fired:?}");
    // One that nobody can read can be removed, and made anew.
    let removed = world.store.remove_schedule(&order(world.now()), &slug("a"), world.now()).await.unwrap();
    assert_eq!(removed, ScheduleRemoved::Removed(Origin::Config));
    assert_eq!(reconcile(&world, &file).await.added, [slug("a")]);
}

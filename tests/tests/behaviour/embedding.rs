//! The host as a part of another program: what its builder makes, what that keeps, and what it refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::Client;
use flyball::app::{Node, NodeBuilder, RunnerSettings, Stopped};
use flyball::clock::Clock;
use flyball::event::Event;
use flyball::job::{InsertOpts, JobId, JobState, Kind, Queue, Slug, When};
use flyball::service::{Importance, Service, ServiceError, Status};
use flyball::store::{OpenOptions, Role, SchemaMode};
use flyball::timing::Schedule;
use flyball_tests::{GENEROUS, eventually, http};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    several_runners_share_one_node_and_each_has_slots_of_its_own,
    a_last_chance_runs_with_nothing_else_on_its_node_whichever_runner_has_it,
    a_node_for_maintenance_only_runs_nothing_and_does_what_is_done_by_the_clock,
    a_node_that_only_works_leaves_to_others_what_one_at_a_time_does,
    readiness_names_the_checks_that_fail_and_a_slow_or_panicking_one_harms_nobody,
    a_service_of_the_program_is_supervised_and_an_essential_one_takes_the_node_with_it,
    those_who_hear_events_harm_nobody,
    a_node_over_an_open_store_tells_those_whom_the_store_tells,
    a_node_that_is_dropped_stops_and_its_job_is_run_by_the_next,
);

fn builder(world: &World) -> NodeBuilder {
    Node::builder()
        .database(world.home.database())
        .plugins(world.home.plugins())
        .lease(Duration::from_secs(3))
}

async fn enqueue(client: &Client, args: &str, queue: &str) -> Result<JobId> {
    let mut job = InsertOpts::new(Kind::new("echo")?, args);
    job.queue = Queue::new(queue)?;
    Ok(client.enqueue(job).await?.id())
}

async fn state(client: &Client, job: JobId) -> Result<JobState> {
    Ok(client.job(job).await?.context("the job is there")?.state)
}

async fn becomes(client: &Client, job: JobId, wanted: JobState) -> Result<()> {
    let is = async || state(client, job).await.map(|state| state == wanted);
    eventually(GENEROUS, "the state of a job", is).await
}

async fn several_runners_share_one_node_and_each_has_slots_of_its_own(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let node = builder(&world)
        .runner(RunnerSettings::new("slow").queue("slow").concurrency(1))
        .runner(RunnerSettings::new("quick").queue_up_to("quick", 1).queue("default").concurrency(2))
        .start()
        .await?;
    let (client, stopper) = (node.client("test"), node.stopper());
    let first = enqueue(&client, r#"{ "sleep_ms": 60000 }"#, "slow").await?;
    let running = tokio::spawn(node.run());
    becomes(&client, first, JobState::Running).await?;
    let second = enqueue(&client, "{}", "slow").await?;
    for queue in ["quick", "default", "quick"] {
        let job = enqueue(&client, "{}", queue).await?;
        becomes(&client, job, JobState::Succeeded).await?;
    }
    assert_eq!(state(&client, first).await?, JobState::Running);
    assert_eq!(
        state(&client, second).await?,
        JobState::Available,
        "its runner has one slot, and that is taken"
    );

    let nodes = client.store().nodes().await?;
    let [node] = nodes.as_slice() else { panic!("{nodes:?}") };
    let serves: serde_json::Value = serde_json::from_str(node.serves.as_str())?;
    assert_eq!(node.concurrency, 3, "{serves}");
    assert_eq!(serves["queues"], serde_json::json!({ "default": 2, "quick": 1, "slow": 1 }));
    assert_eq!(serves["runners"][0]["name"], "slow");
    assert_eq!(serves["runners"][1]["concurrency"], 2);

    stopper.interrupt();
    assert_eq!(running.await?, Stopped::Interrupted(1));
    Ok(())
}

async fn a_last_chance_runs_with_nothing_else_on_its_node_whichever_runner_has_it(
    world: World,
) -> Result<()> {
    let world = world.with(&["echo"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let last = enqueue(&client, r#"{ "sleep_ms": 300 }"#, "one").await?;
    sentence(world.home.database(), last).await?;
    let mut others = Vec::new();
    for _ in 0..12 {
        others.push(enqueue(&client, r#"{ "sleep_ms": 100 }"#, "two").await?);
    }
    let node = builder(&world)
        .runner(RunnerSettings::new("one").queue("one").concurrency(2))
        .runner(RunnerSettings::new("two").queue("two").concurrency(2))
        .start()
        .await?;
    assert_eq!(node.run_until_idle().await, Stopped::Clean);
    let alone = client.runs(last).await?.into_iter().next().context("it ran")?;
    let end = alone.finished_at.context("it ended")?;
    for job in others {
        let run = client.runs(job).await?.into_iter().next().context("it ran")?;
        let apart = run.finished_at.context("it ended")? <= alone.started_at || run.started_at >= end;
        assert!(apart, "{run:?} ran beside {alone:?}");
    }
    client.close().await;
    Ok(())
}

/// As if the job had lost its node twice.
async fn sentence(database: &str, job: JobId) -> Result<()> {
    use sqlx::Connection as _;
    if let Some(file) = database.strip_prefix("sqlite:") {
        let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{file}")).await?;
        let text = "UPDATE jobs SET crashes = 2, last_chance = 1 WHERE id = $1";
        sqlx::query(text).bind(job.to_string()).execute(&mut connection).await?;
        connection.close().await?;
    } else {
        let mut connection = sqlx::PgConnection::connect(database).await?;
        let text = "UPDATE flyball.jobs SET crashes = 2, last_chance = true WHERE id = $1::text::uuid";
        sqlx::query(text).bind(job.to_string()).execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

async fn a_node_for_maintenance_only_runs_nothing_and_does_what_is_done_by_the_clock(
    world: World,
) -> Result<()> {
    let client = Client::connect(world.home.database(), "test").await?;
    let now = enqueue(&client, "{}", "default").await?;
    let mut later = InsertOpts::new(Kind::new("echo")?, "{}");
    later.when = When::In(Duration::from_millis(500));
    let later = client.enqueue(later).await?.id();
    let job = InsertOpts::new(Kind::new("fired")?, "{}");
    let schedule = Schedule::new(Slug::new("tick")?, "@every 1s".parse()?, job);
    let node = Node::builder()
        .database(world.home.database())
        .lease(Duration::from_secs(3))
        .maintenance_only()
        .schedules(vec![schedule])
        .start()
        .await?;
    assert!(node.plugins().is_none(), "no sandbox is started");
    assert!(node.readiness().ready, "{:?}", node.readiness());
    let names: Vec<_> = node.services()().iter().map(|report| report.name).collect();
    let nothing_runs =
        ["claimer", "finalizer", "plugins", "publisher"].iter().all(|name| !names.contains(name));
    assert!(nothing_runs && names.contains(&"lease") && names.contains(&"promoter"), "{names:?}");
    let stopper = node.stopper();
    let running = tokio::spawn(node.run());
    becomes(&client, later, JobState::Available).await?;
    let fired = Kind::new("fired")?;
    let has_fired = async || client.unfinished(&fired, 10).await.map(|jobs| !jobs.is_empty());
    eventually(GENEROUS, "a schedule to fire", has_fired).await?;
    assert_eq!(state(&client, now).await?, JobState::Available, "it claims nothing");
    stopper.drain();
    assert_eq!(running.await?, Stopped::Clean);
    client.close().await;
    Ok(())
}

async fn a_node_that_only_works_leaves_to_others_what_one_at_a_time_does(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let node = builder(&world).worker_only().start().await?;
    let names: Vec<_> = node.services()().iter().map(|report| report.name).collect();
    let left = ["cron", "retention", "sweeper"].iter().all(|name| !names.contains(name));
    assert!(left && names.contains(&"claimer") && names.contains(&"promoter"), "{names:?}");
    let client = node.client("test");
    let job = enqueue(&client, "{}", "default").await?;
    assert_eq!(node.run_until_idle().await, Stopped::Clean);
    let client = Client::connect(world.home.database(), "test").await?;
    assert_eq!(state(&client, job).await?, JobState::Succeeded);
    client.close().await;
    Ok(())
}

async fn readiness_names_the_checks_that_fail_and_a_slow_or_panicking_one_harms_nobody(
    world: World,
) -> Result<()> {
    let world = world.with(&["echo"])?;
    let well = Arc::new(AtomicBool::new(false));
    let (told, told_too) = (well.clone(), well.clone());
    let node = builder(&world)
        .listen(([127, 0, 0, 1], 0).into())
        .ready_when("steady", || async { Ok::<_, ServiceError>(()) })
        .ready_when("upstream", move || {
            let well = told.load(Ordering::Relaxed);
            async move { if well { Ok(()) } else { Err("it does not answer") } }
        })
        .ready_when("frail", move || {
            let well = told_too.load(Ordering::Relaxed);
            async move {
                assert!(well, "not yet");
                Ok::<_, ServiceError>(())
            }
        })
        .ready_when("slow", || async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            Ok::<_, ServiceError>(())
        })
        .start()
        .await?;
    let failing = || {
        let failing = node.readiness().failing;
        failing.into_iter().map(|check| format!("{}: {}", check.name, check.reason)).collect::<Vec<_>>()
    };
    let wanted = ["upstream: it does not answer", "frail: it panicked"];
    eventually(GENEROUS, "the checks to have answered", async || Ok::<_, ServiceError>(failing() == wanted))
        .await?;
    let answer = http::get(node.address().context("it listens")?, "/readyz").await?;
    assert_eq!(answer.status, 503);
    let body: serde_json::Value = serde_json::from_str(&answer.body)?;
    assert_eq!(
        (&body["reason"], &body["failing"][0]["name"]),
        (&"checks".into(), &"upstream".into()),
        "{body}"
    );
    // It works all the same.
    let client = node.client("test");
    let job = enqueue(&client, "{}", "default").await?;
    becomes(&client, job, JobState::Succeeded).await?;
    well.store(true, Ordering::Relaxed);
    eventually(GENEROUS, "the node to be ready", async || Ok::<_, ServiceError>(node.readiness().ready))
        .await?;
    node.stopper().drain();
    assert_eq!(node.run().await, Stopped::Clean);
    Ok(())
}

async fn a_service_of_the_program_is_supervised_and_an_essential_one_takes_the_node_with_it(
    world: World,
) -> Result<()> {
    let world = world.with(&["echo"])?;
    let (falls, heard) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (fallen, hears) = (falls.clone(), heard.clone());
    let node = builder(&world)
        .service(|client| {
            Service::new("feeder", Importance::Auxiliary, move |token| {
                let (client, nth) = (client.clone(), fallen.fetch_add(1, Ordering::Relaxed));
                async move {
                    assert!(nth > 0, "the first time");
                    enqueue(&client, "{}", "default").await?;
                    token.cancelled().await;
                    Ok::<_, anyhow::Error>(())
                }
            })
        })
        .on_event(move |event| {
            if let Event::ServiceRestarted { service: "feeder", .. } = event {
                hears.fetch_add(1, Ordering::Relaxed);
            }
        })
        .start()
        .await?;
    let feeder = || node.services()().into_iter().find(|report| report.name == "feeder");
    let runs = || feeder().is_some_and(|report| report.executions == 2 && report.status == Status::Running);
    eventually(GENEROUS, "the service to be restarted", async || Ok::<_, ServiceError>(runs())).await?;
    assert_eq!(heard.load(Ordering::Relaxed), 1);
    let client = node.client("test");
    let all = flyball::store::JobFilter { limit: 10, ..Default::default() };
    let fed = async || {
        Ok::<_, anyhow::Error>(client.list(&all).await?.iter().any(|job| job.state == JobState::Succeeded))
    };
    eventually(GENEROUS, "what the service enqueued", fed).await?;
    node.stopper().drain();
    assert_eq!(node.run().await, Stopped::Clean);

    let doomed = |_| Service::new("doomed", Importance::Essential, |_| async { Err::<(), _>("no upstream") });
    let node = builder(&world).service(doomed).start().await?;
    assert_eq!(node.run().await, Stopped::Died("doomed"));
    Ok(())
}

async fn those_who_hear_events_harm_nobody(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let heard = Arc::new(AtomicU32::new(0));
    let (hears, slow) = (heard.clone(), Arc::new(tokio::sync::Semaphore::new(0)));
    let gate = slow.clone();
    let node = builder(&world)
        .on_event(|event| assert!(!matches!(event, Event::JobFinished(_)), "a recorder that panics"))
        .observer("counter", 64, move |event| {
            if matches!(event, Event::JobFinished(_)) {
                hears.fetch_add(1, Ordering::Relaxed);
            }
            std::future::ready(())
        })
        .observer("slow", 1, move |_| {
            let gate = gate.clone();
            async move { drop(gate.acquire().await) }
        })
        .start()
        .await?;
    let client = node.client("test");
    for _ in 0..5 {
        let job = enqueue(&client, "{}", "default").await?;
        becomes(&client, job, JobState::Succeeded).await?;
    }
    slow.close();
    node.stopper().drain();
    assert_eq!(node.run().await, Stopped::Clean);
    assert_eq!(heard.load(Ordering::Relaxed), 5, "what is queued at the end is heard too");
    Ok(())
}

async fn a_node_over_an_open_store_tells_those_whom_the_store_tells(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let sqlite = world.home.database().starts_with("sqlite:");
    let clock = if sqlite { Clock::system() } else { Clock::anchored() };
    let client = OpenOptions { schema: SchemaMode::Check, ..OpenOptions::new(clock) };
    let store = flyball::store::open(world.home.database(), &client).await?;
    let refused = Node::builder().store(store.clone()).plugins(world.home.plugins()).start().await;
    let error = refused.err().context("a client's store is no node's")?.to_string();
    assert!(error.contains("opened as a client's"), "{error}");
    store.close().await;

    let options = OpenOptions { role: Role::Serve { name: "mine".into() }, ..client };
    let mut heard = options.events.subscribe(256);
    let store = flyball::store::open(world.home.database(), &options).await?;
    let node = Node::builder().store(store).plugins(world.home.plugins()).start().await?;
    enqueue(&node.client("test"), "{}", "default").await?;
    assert_eq!(node.run_until_idle().await, Stopped::Clean);
    let mut finished = 0;
    while let Some(event) = heard.waiting() {
        finished += u32::from(matches!(event, Event::JobFinished(_)));
    }
    assert_eq!(finished, 1);
    Ok(())
}

async fn a_node_that_is_dropped_stops_and_its_job_is_run_by_the_next(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let job = enqueue(&client, r#"{ "sleep_ms": 1000 }"#, "default").await?;
    let node = builder(&world).start().await?;
    becomes(&client, job, JobState::Running).await?;
    drop(node);
    // On SQLite the file is free when its last task has ended.
    let next = eventually(GENEROUS, "the next node to start", async || {
        Ok::<_, ServiceError>(builder(&world).start().await.ok())
    });
    let next = next.await?;
    let stopper = next.stopper();
    let running = tokio::spawn(next.run());
    becomes(&client, job, JobState::Succeeded).await?;
    stopper.drain();
    assert_eq!(running.await?, Stopped::Clean);
    client.close().await;
    Ok(())
}

#[tokio::test]
async fn settings_that_make_no_sense_together_are_refused_and_nothing_is_opened() -> Result<()> {
    let second = Duration::from_secs(1);
    let there = || Node::builder().database("sqlite:/nowhere/at/all.db").plugins("plugins");
    let runner = |name: &str| RunnerSettings::new(name);
    let schedule =
        Schedule::new(Slug::new("tick")?, "@every 1s".parse()?, InsertOpts::new(Kind::new("echo")?, "{}"));
    let maintenance = || Node::builder().database("sqlite:/nowhere/at/all.db").maintenance_only();
    let cases = [
        (Node::builder().plugins("plugins"), "database: none is named"),
        (Node::builder().database("sqlite:x.db"), "plugins: no folder is named"),
        (there().worker_only().maintenance_only(), "maintenance_only: and worker_only"),
        (there().maintenance_only(), "plugins: a node for maintenance only runs nothing"),
        (maintenance().runner(runner("a")), "runner: a node for maintenance only has none"),
        (maintenance().guest_memory(1 << 30), "sandbox: a node for maintenance only starts none"),
        (there().worker_only().schedules(vec![schedule]), "schedules: a node that only works fires none"),
        (
            there().worker_only().retention(Default::default()),
            "retention: a node that only works deletes nothing",
        ),
        (there().runner(runner("a")).runner(runner("a")), "runner: two are called \"a\""),
        (there().runner(runner("a").concurrency(0)), "runner: \"a\" has no slot"),
        (there().runner(runner("a").queue_up_to("mail", 0)), "takes none at once from the queue mail"),
        (there().runner(runner("a").queue("mail").queue("mail")), "takes from the queue mail twice"),
        (there().runner(runner("a").queue("No queue")), "takes from a queue that is none"),
        (there().runner(runner("a").queue_weighing("mail", 0)), "weighs the queue mail with 0: 1 to 1000"),
        (there().runner(runner("a").class("No class")), "has a class that is none"),
        (there().runner(runner("a").concurrency(u32::MAX)), "concurrency: at most 65535 over all runners"),
        (there().lease(second / 2), "lease: 500ms: must be 1s to 1h"),
        (there().max_crashes(0), "max_crashes: 0"),
        (there().name(""), "name: must be 1 to 255 bytes"),
        (there().guest_memory(1), "guest_memory: too little"),
    ];
    for (builder, expected) in cases {
        let error = builder.start().await.err().context(expected)?.to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let world = World::sqlite().await?;
    let taken = builder(&world)
        .service(|_| Service::new("lease", Importance::Auxiliary, |_| async { Ok::<_, ServiceError>(()) }));
    let error = taken.start().await.err().context("a name that is taken")?.to_string();
    assert!(error.contains("service: there is one with the name \"lease\" already"), "{error}");
    Ok(())
}

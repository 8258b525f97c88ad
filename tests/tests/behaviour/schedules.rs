//! Schedules, as the operator of nodes sees them: they fire, once for each bucket, catch up, and follow the file.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball_tests::{GENEROUS, Home, Node, eventually};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_schedule_of_the_file_fires,
    a_node_without_maintenance_fires_nothing_and_the_next_one_catches_up,
    a_file_that_was_edited_is_heeded_at_the_next_start,
    an_operator_adds_runs_disables_and_removes_a_schedule,
);

const QUICK: &str = "[node]\nlease = \"1s\"\n";

fn tick(slug: &str) -> String {
    format!("[[schedules]]\nslug = \"{slug}\"\nkind = \"noop\"\ncron = \"* * * * * *\"\nargs = {{ n = 1 }}\n")
}

/// When the jobs of a schedule were due, one for each job.
async fn buckets(home: &Home, slug: &str) -> Result<Vec<String>> {
    let jobs: Vec<Value> = home.ask(&["jobs", "list", "--limit", "1000", "--json"]).await?;
    let of = jobs.iter().filter(|job| job["schedule_slug"] == slug);
    of.map(|job| Ok(job["scheduled_at"].as_str().context("a time")?.to_owned())).collect()
}

async fn schedule(home: &Home, slug: &str) -> Result<Value> {
    let all: Vec<Value> = home.ask(&["schedules", "list", "--json"]).await?;
    Ok(all.into_iter().find(|schedule| schedule["slug"] == slug).unwrap_or_default())
}

async fn fires(home: &Home, slug: &str, at_least: usize) -> Result<()> {
    let fired = async || anyhow::Ok(buckets(home, slug).await?.len() >= at_least);
    eventually(GENEROUS, "the schedule to fire", fired).await
}

async fn sql(home: &Home, postgres: &str, sqlite: &str) -> Result<()> {
    if home.database().starts_with("sqlite:") {
        let mut file = SqliteConnection::connect(home.database()).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sqlite.to_owned())).execute(&mut file).await?;
        file.close().await?;
    } else {
        let mut server = PgConnection::connect(home.database()).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(postgres.to_owned())).execute(&mut server).await?;
        server.close().await?;
    }
    Ok(())
}

async fn a_schedule_of_the_file_fires(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    world.home.configure(&tick("tick"))?;
    let mut node = Node::serve(&world.home, &[]).await?;
    fires(&world.home, "tick", 3).await?;
    node.drain().await?;
    let jobs: Vec<Value> = world.home.ask(&["jobs", "list", "--json"]).await?;
    assert!(jobs.iter().all(|job| job["args"]["n"] == 1 && job["kind"] == "noop"), "{jobs:?}");
    let buckets = buckets(&world.home, "tick").await?;
    assert_eq!(buckets.iter().collect::<BTreeSet<_>>().len(), buckets.len(), "{buckets:?}");
    Ok(())
}

/// With a lease of a hundred seconds a node asks whether it is its turn every twenty: that is not how long a schedule
/// waits that somebody had in his hands when it was due.
#[tokio::test]
async fn a_schedule_that_somebody_holds_when_it_is_due_fires_soon_after() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["noop"])?;
    world.home.configure(&format!("[node]\nlease = \"100s\"\n{}", tick("tick")))?;
    let mut node = Node::serve(&world.home, &[]).await?;
    fires(&world.home, "tick", 1).await?;
    let mut holder = PgConnection::connect(world.home.database()).await?;
    sqlx::raw_sql("BEGIN; SELECT FROM flyball.schedules FOR UPDATE").execute(&mut holder).await?;
    eventually(GENEROUS, "the node to pass it over", async || {
        let over = "SELECT next_at < clock_timestamp() - interval '2 s' FROM flyball.schedules";
        sqlx::query_scalar::<_, bool>(over).fetch_one(&mut holder).await
    })
    .await?;
    let before = buckets(&world.home, "tick").await?.len();
    sqlx::raw_sql("COMMIT").execute(&mut holder).await?;
    let fired = async || anyhow::Ok(buckets(&world.home, "tick").await?.len() > before);
    let released = flyball_tests::ambient::instant();
    eventually(Duration::from_secs(10), "it to fire", fired).await?;
    println!("it fired {:.1?} after it was free", released.elapsed());
    node.drain().await?;
    Ok(())
}

#[tokio::test]
async fn two_nodes_never_fire_a_bucket_twice_and_one_goes_on_when_the_other_dies() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["noop"])?;
    world.home.configure(&format!("{QUICK}{}", tick("tick")))?;
    let mut one = Node::serve(&world.home, &["--name", "one"]).await?;
    let mut two = Node::serve(&world.home, &["--name", "two"]).await?;
    fires(&world.home, "tick", 4).await?;
    one.kill().await?;
    let before = buckets(&world.home, "tick").await?.len();
    fires(&world.home, "tick", before + 4).await?;
    two.drain().await?;
    let buckets = buckets(&world.home, "tick").await?;
    assert_eq!(buckets.iter().collect::<BTreeSet<_>>().len(), buckets.len(), "{buckets:?}");
    Ok(())
}

async fn a_node_without_maintenance_fires_nothing_and_the_next_one_catches_up(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let add = ["schedules", "add", "hourly", "noop", "--every", "1h", "--backfill-cap", "3"];
    world.home.call(&add).await?;
    sql(
        &world.home,
        "UPDATE flyball.schedules SET next_at = next_at - interval '6 h 30 m'",
        "UPDATE schedules SET next_at = next_at - 23400000000",
    )
    .await?;
    world.home.configure(QUICK)?;
    let mut idle = Node::serve(&world.home, &["--no-maintenance"]).await?;
    for _ in 0..3 {
        // It works, and so has had the time to fire.
        let id = world.home.call(&["enqueue", "noop"]).await?.trim_end().to_owned();
        let ended = async || {
            let job: Value = world.home.ask(&["jobs", "show", &id, "--json"]).await?;
            anyhow::Ok(job["state"] == "succeeded")
        };
        eventually(GENEROUS, "the job to end", ended).await?;
    }
    assert_eq!(buckets(&world.home, "hourly").await?.len(), 0);
    idle.drain().await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    fires(&world.home, "hourly", 3).await?;
    node.drain().await?;
    assert_eq!(buckets(&world.home, "hourly").await?.len(), 3, "no more than was asked for is made up for");
    Ok(())
}

async fn a_file_that_was_edited_is_heeded_at_the_next_start(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let by_hand = ["schedules", "add", "by-hand", "noop", "--cron", "0 2 * * *"];
    world.home.call(&by_hand).await?;
    let hourly = |slug: &str, minute| {
        format!("[[schedules]]\nslug = \"{slug}\"\nkind = \"noop\"\ncron = \"{minute} * * * *\"\n")
    };
    world.home.configure(&format!("{}{}", hourly("stays", 5), hourly("goes", 5)))?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let there = async || anyhow::Ok(schedule(&world.home, "goes").await?["active"] == true);
    eventually(GENEROUS, "the schedules of the file", there).await?;
    node.drain().await?;
    world.home.call(&["schedules", "disable", "stays"]).await?;

    world.home.configure(&hourly("stays", 10))?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let gone = async || anyhow::Ok(schedule(&world.home, "goes").await?["disabled_by"] == "config");
    eventually(GENEROUS, "the schedule that left the file", gone).await?;
    node.drain().await?;
    let stays = schedule(&world.home, "stays").await?;
    assert_eq!((&stays["cron"], &stays["disabled_by"]), (&"10 * * * *".into(), &"operator".into()));
    assert_eq!(schedule(&world.home, "by-hand").await?["active"], true);
    let refused = world.home.run(&["schedules", "add", "stays", "noop", "--every", "1m"]).await?;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("is of a node's flyball.toml"), "{}", refused.stderr);
    Ok(())
}

async fn an_operator_adds_runs_disables_and_removes_a_schedule(world: World) -> Result<()> {
    let home = &world.home;
    let add = ["schedules", "add", "night", "noop", r#"{"n":2}"#, "--cron", "0 2 * * *", "--timezone"];
    assert_eq!(home.call(&[&add[..], &["Europe/Berlin"]].concat()).await?, "night added\n");
    assert_eq!(home.call(&[&add[..], &["UTC"]].concat()).await?, "night changed\n");
    let id = home.call(&["schedules", "run", "night"]).await?.trim_end().to_owned();
    let job: Value = home.ask(&["jobs", "show", &id, "--json"]).await?;
    assert_eq!(
        (&job["schedule_slug"], &job["args"]["n"], &job["state"]),
        (&"night".into(), &2.into(), &"available".into())
    );
    assert_eq!(schedule(home, "night").await?["last_job_id"], id.as_str());
    home.call(&["schedules", "disable", "night"]).await?;
    assert!(home.call(&["schedules", "list"]).await?.contains("disabled"));
    home.call(&["schedules", "enable", "night", "--json"]).await?;
    assert_eq!(schedule(home, "night").await?["active"], true);
    home.call(&["schedules", "remove", "night"]).await?;
    for verb in ["remove", "enable", "disable", "run"] {
        let ran = home.run(&["schedules", verb, "night"]).await?;
        assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    }
    let wrong = home.run(&[&add[..], &["Europe/Berln"]].concat()).await?;
    assert!(wrong.stderr.contains("\"Europe/Berln\" is no time zone"), "{}", wrong.stderr);
    let wrong = home.run(&["schedules", "add", "x", "noop", "--cron", "61 * * * *"]).await?;
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    Ok(())
}

#[tokio::test]
async fn a_preview_needs_no_database_and_follows_the_clock_of_its_zone() -> Result<()> {
    let home = Home::on("postgres://nobody@127.0.0.1:1/nowhere")?;
    let expression = ["schedules", "preview", "0 2 * * *", "--timezone", "Europe/Berlin"];
    let from = ["--from", "2026-03-28T00:00:00Z", "--count", "3"];
    let shown = home.call(&[&expression[..], &from].concat()).await?;
    let lines = ["2026-03-28T02:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"];
    assert_eq!(shown.lines().collect::<Vec<_>>(), lines);
    let times: Vec<String> = home.ask(&[&expression[..], &from, &["--json"]].concat()).await?;
    assert_eq!(times[1], "2026-03-29T01:00:00.000000Z");
    let wrong = home.run(&["schedules", "preview", "0 2 * *"]).await?;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("it has 4 fields"), "{}", wrong.stderr);
    Ok(())
}

//! What an attempt came to is stored, whatever is in the way; and if it can't be, the node says so.

use std::time::Duration;

use anyhow::Result;
use flyball::job::JobState;
use flyball_tests::load::Load;
use flyball_tests::node::{Node, Plan};
use flyball_tests::{GENEROUS, Home, eventually};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::worlds::World;

const JOBS: usize = 3;

/// A node with some jobs that run for a little longer.
async fn busy(home: &Home, load: &Load) -> Result<Node> {
    let node = Plan::new(home).with(&["--concurrency", "8", "--drain-timeout", "1s"]).serve().await?;
    let started = || node.log().all().iter().filter(|line| line.text.contains("guest started")).count();
    eventually(GENEROUS, "all to start", async || started() == load.ids().len()).await?;
    Ok(node)
}

/// It can't store what its jobs came to, and is told to stop.
async fn says_that_outcomes_are_not_stored(node: &mut Node) -> Result<()> {
    node.terminate()?;
    let exit = node.wait(GENEROUS * 2).await?;
    assert_eq!(exit.status.code(), Some(3), "{}", node.log().tail(20));
    let said = node.log().all().into_iter().filter_map(|line| line.json());
    let said = said.filter_map(|json| json.get("fields").cloned());
    let last = said.filter(|fields| fields["message"] == "stopped; outcomes could not be stored").last();
    assert_eq!(last.map(|fields| fields["attempts"].clone()), Some(json!(JOBS)), "{}", node.log().tail(20));
    Ok(())
}

#[tokio::test]
async fn a_drain_that_leaves_outcomes_unstored_says_how_many_and_exits_with_3_on_postgres() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["echo"])?;
    let (through, proxy) = world.behind_a_proxy()?;
    let load = Load::enqueue(world.home.database(), "echo", JOBS, |_| json!({ "sleep_ms": 1000 })).await?;
    let mut node = busy(&through, &load).await?;
    drop(proxy);
    says_that_outcomes_are_not_stored(&mut node).await
}

#[tokio::test]
async fn a_drain_that_leaves_outcomes_unstored_says_how_many_and_exits_with_3_on_sqlite() -> Result<()> {
    let world = World::sqlite().await?.with(&["echo"])?;
    let load = Load::enqueue(world.home.database(), "echo", JOBS, |_| json!({ "sleep_ms": 1000 })).await?;
    let mut node = busy(&world.home, &load).await?;
    let mut writer = SqliteConnection::connect(world.home.database()).await?;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writer).await?;
    says_that_outcomes_are_not_stored(&mut node).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut writer).await?;
    Ok(())
}

/// Somebody's transaction holds the row of one job while the outcomes of all are to be stored.
#[tokio::test]
async fn a_job_that_somebody_else_holds_locked_keeps_no_other_outcome_from_being_stored() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["echo"])?;
    let load = Load::enqueue(world.home.database(), "echo", 8, |_| json!({ "sleep_ms": 500 })).await?;
    let mut node = busy(&world.home, &load).await?;
    let held = load.ids()[3];
    let mut holder = PgConnection::connect(world.home.database()).await?;
    let lock = format!("BEGIN; SELECT FROM flyball.jobs WHERE id = '{held}' FOR UPDATE");
    sqlx::raw_sql(AssertSqlSafe(lock)).execute(&mut holder).await?;

    let all_but_one = async || load.unfinished().await.map(|unfinished| unfinished == 1);
    eventually(GENEROUS, "the others to end", all_but_one).await?;
    let more = Load::enqueue(world.home.database(), "echo", 50, |_| json!({})).await?;
    let begun = flyball_tests::ambient::instant();
    eventually(GENEROUS, "those that come later to end", all_but_one).await?;
    println!("beside the job that is held, 50 others took {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(20), "they wait for the lock");

    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await?;
    load.finished(GENEROUS).await?;
    load.audit().await?.assert_each_succeeded_once()?;
    more.audit().await?.assert_each_succeeded_once()?;
    let (job, runs) = load.job(held).await?;
    assert_eq!((job.state, runs.len()), (JobState::Succeeded, 1));
    assert_eq!(node.drain().await?.status.code(), Some(0));
    Ok(())
}

//! SIGKILL of `serve`, twenty times in the middle of two thousand jobs.

use std::time::Duration;

use anyhow::Result;
use flyball_tests::load::Load;
use flyball_tests::node::{Node, Plan};
use flyball_tests::process::Line;
use flyball_tests::witness::Witness;
use flyball_tests::{GENEROUS, eventually};
use serde_json::json;

use crate::worlds::World;

const JOBS: usize = 2000;
const KILLS: usize = 20;
const IN_FLIGHT: usize = 100;

/// Each job sleeps for 0.4 to 1.2 s, so that a kill finds them in the middle.
fn sleepy(index: usize) -> serde_json::Value {
    json!({ "sleep_ms": 400 + index * 7919 % 800 })
}

async fn every_job_survives_twenty_kills(world: World) -> Result<()> {
    let load = {
        let migrated = world.home.call(&["migrate"]).await?;
        println!("{migrated}");
        Load::enqueue(world.home.database(), "echo", JOBS, sleepy).await?
    };
    let mut witness = Witness::default();
    let mut killed_in_flight = Vec::new();
    for kill in 0..KILLS {
        let mut node = Plan::new(&world.home).with(&["--concurrency", "128"]).serve().await?;
        let enough = eventually(GENEROUS, "a hundred guests in flight", async || running(&node) >= IN_FLIGHT);
        if let Err(error) = enough.await {
            panic!("before kill {kill}, {} unfinished: {error:#}", load.unfinished().await?);
        }
        killed_in_flight.push(running(&node));
        node.kill().await?;
        node.testify(&mut witness);
    }
    let mut node = Plan::new(&world.home).with(&["--concurrency", "128"]).serve().await?;
    load.finished(Duration::from_secs(120)).await?;
    node.drain().await?;
    node.testify(&mut witness);

    let audit = load.audit().await?;
    println!("{KILLS} kills with {killed_in_flight:?} in flight; runs by outcome: {:?}", audit.outcomes);
    println!("the witness heard {} runs, {} at once", witness.count(), witness.most_at_once());
    audit.assert_each_succeeded_once()?;
    witness.assert_apart();
    Ok(())
}

/// Guests that have started and not ended, by the log of the node.
fn running(node: &Node) -> usize {
    let lines = node.log().all();
    let count = |words: &str| lines.iter().filter(|line: &&Line| line.text.contains(words)).count();
    count("guest started").saturating_sub(count("guest ended"))
}

#[tokio::test]
async fn every_job_survives_twenty_kills_on_sqlite() -> Result<()> {
    every_job_survives_twenty_kills(World::sqlite()?).await
}

#[tokio::test]
async fn every_job_survives_twenty_kills_on_postgres() -> Result<()> {
    match World::postgres().await? {
        Some(world) => every_job_survives_twenty_kills(world).await,
        None => Ok(()),
    }
}

//! PostgreSQL itself is killed and started again, under load.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball_tests::load::Load;
use flyball_tests::node::Plan;
use flyball_tests::witness::Witness;
use flyball_tests::{GENEROUS, eventually};
use serde_json::json;

use crate::worlds::World;

const JOBS: usize = 1000;
const RESTARTS: usize = 3;

#[tokio::test]
async fn nodes_outlive_a_postmaster_that_is_killed_and_nobody_is_charged() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.furnished("[node]\nlease = \"3s\"\n")?;
    world.home.call(&["migrate"]).await?;
    let cluster = world.cluster.as_ref().context("the world has a cluster")?;
    let load =
        Load::enqueue(world.home.database(), "echo", JOBS, |index| json!({ "sleep_ms": 100 + index % 200 }))
            .await?;
    let plan = || Plan::new(&world.home).with(&["--concurrency", "16"]);
    let mut nodes = [plan().serve().await?, plan().serve().await?];
    for restart in 1..=RESTARTS {
        let some = JOBS - restart * JOBS / (RESTARTS + 2);
        let waiting = async || load.unfinished().await.map(|unfinished| unfinished <= some as u64);
        eventually(GENEROUS, "some jobs to end", waiting).await?;
        cluster.kill_postmaster()?;
        cluster.restart().await?;
    }
    load.finished(Duration::from_secs(120)).await?;
    let mut witness = Witness::default();
    for node in &mut nodes {
        let exit = node.drain().await?;
        assert!(exit.status.success(), "the node outlived every restart: {}", exit.status);
        node.testify(&mut witness);
    }
    let audit = load.audit().await?;
    println!("{RESTARTS} restarts of the postmaster; runs by outcome: {:?}", audit.outcomes);
    audit.assert_each_succeeded_once()?;
    witness.assert_apart();
    Ok(())
}

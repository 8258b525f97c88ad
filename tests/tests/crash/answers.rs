//! The answer to a claim or a finalize is swallowed on its way: the database has done the work, the node never hears
//! of it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball_tests::GENEROUS;
use flyball_tests::load::Load;
use flyball_tests::node::Plan;
use flyball_tests::proxy::{Pattern, Proxy};
use flyball_tests::witness::Witness;
use serde_json::json;

use crate::worlds::World;

const JOBS: usize = 200;

/// `marker` stands in the text of the statement.
async fn a_swallowed_answer_costs_nothing(marker: &str) -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let cluster = world.cluster.as_ref().context("the world has a cluster")?;
    world.home.call(&["migrate"]).await?;
    let proxy = Proxy::start(cluster.address().to_string())?;
    let url: flyball_tests::postgres::Url = world.home.database().parse()?;
    let through = world.home.by(url.through(proxy.address()));
    let load = Load::enqueue(world.home.database(), "echo", JOBS, |_| json!({ "sleep_ms": 50 })).await?;
    let mut node = Plan::new(&through).with(&["--concurrency", "8"]).serve().await?;
    for _ in 0..5 {
        proxy.swallow_next(Pattern::statement(marker)).struck(GENEROUS).await?;
    }
    load.finished(Duration::from_secs(90)).await?;
    node.drain().await?;
    let audit = load.audit().await?;
    println!("five answers to {marker:?} swallowed; runs by outcome: {:?}", audit.outcomes);
    audit.assert_each_succeeded_once()?;
    let mut witness = Witness::default();
    node.testify(&mut witness);
    witness.assert_apart();
    Ok(())
}

#[tokio::test]
async fn a_claim_whose_answer_is_swallowed_loses_strands_and_doubles_nothing() -> Result<()> {
    a_swallowed_answer_costs_nothing("Claims due jobs for a node").await
}

#[tokio::test]
async fn a_finalize_whose_answer_is_swallowed_loses_strands_and_doubles_nothing() -> Result<()> {
    a_swallowed_answer_costs_nothing("Moves running jobs on and ends their run").await
}

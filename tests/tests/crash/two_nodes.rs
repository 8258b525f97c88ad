//! Two processes of the binary on one PostgreSQL.

use std::time::Duration;

use anyhow::Result;
use flyball::job::Outcome;
use flyball_tests::load::Load;
use flyball_tests::node::Plan;
use flyball_tests::witness::Witness;
use flyball_tests::{GENEROUS, ambient, eventually};
use serde_json::json;

use crate::worlds::World;

/// The contract promises recovery within 30 s; asserted at three times that.
const PROMISED: Duration = Duration::from_secs(30);

#[tokio::test]
async fn two_nodes_share_the_work_and_one_takes_over_when_the_other_is_killed() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    // The default lease: this is the recovery that the contract promises.
    let world = world.furnished("")?;
    world.home.call(&["migrate"]).await?;
    let plan = || Plan::new(&world.home).with(&["--concurrency", "16"]);
    let (mut first, mut second) = (plan().serve().await?, plan().serve().await?);

    let before = Load::enqueue(world.home.database(), "echo", 400, |_| json!({ "sleep_ms": 20 })).await?;
    before.finished(GENEROUS).await?;
    let audit = before.audit().await?;
    audit.assert_each_succeeded_once()?;
    assert_eq!(audit.outcomes.get(&Outcome::Success), Some(&400));
    assert_eq!(audit.outcomes.len(), 1, "before a kill, runs = jobs: {:?}", audit.outcomes);

    let after = Load::enqueue(world.home.database(), "echo", 100, |_| json!({ "sleep_ms": 1000 })).await?;
    let started = || {
        first.log().all().iter().any(|line| {
            line.text.contains("guest started")
                && after.ids().iter().any(|id| line.text.contains(&id.to_string()))
        })
    };
    eventually(GENEROUS, "the first node to take some of them", async || started()).await?;
    first.kill().await?;
    let killed = ambient::instant();
    after.finished(PROMISED * 3).await?;
    println!(
        "everything ended {:?} after the kill; promised {PROMISED:?} plus the jobs' own second",
        killed.elapsed()
    );
    second.drain().await?;

    let audit = after.audit().await?;
    println!("runs by outcome after the kill: {:?}", audit.outcomes);
    audit.assert_each_succeeded_once()?;
    let mut witness = Witness::default();
    first.testify(&mut witness);
    second.testify(&mut witness);
    witness.assert_apart();
    Ok(())
}

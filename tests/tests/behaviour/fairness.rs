//! Spinning guests on every core delay neither probes nor neighbours beyond their bounds.

use std::time::Duration;

use anyhow::Result;
use flyball::job::JobState;
use flyball_tests::load::Load;
use flyball_tests::{Node, ambient};
use serde_json::json;

use crate::worlds::{World, on_both_databases};

on_both_databases!(eight_spinning_jobs_delay_neither_the_probe_nor_a_neighbour);

/// `/readyz` answers within this.
const PROBE: Duration = Duration::from_millis(100);
/// A neighbour's job of a millisecond ends within this.
const NEIGHBOUR: Duration = Duration::from_secs(5);

async fn eight_spinning_jobs_delay_neither_the_probe_nor_a_neighbour(world: World) -> Result<()> {
    let world = world.with(&["misbehave", "echo"])?;
    let mut node = Node::serve(&world.home, &["--concurrency", "9", "--drain-timeout", "0s"]).await?;
    let spinning =
        Load::enqueue(world.home.database(), "misbehave", 8, |_| json!({ "do": "spin-unstoppably" })).await?;
    let count = || node.log().all().iter().filter(|line| line.text.contains("guest started")).count();
    flyball_tests::eventually(flyball_tests::GENEROUS, "eight to spin", async || count() >= 8).await?;
    let (mut probes, mut neighbours) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let asked = ambient::instant();
        assert_eq!(node.get("/readyz").await?.status, 200);
        probes.push(asked.elapsed());
        let load = Load::enqueue(world.home.database(), "echo", 1, |_| json!({})).await?;
        let enqueued = ambient::instant();
        let ended = async || load.job(load.ids()[0]).await.map(|(job, _)| job.state == JobState::Succeeded);
        flyball_tests::eventually(flyball_tests::GENEROUS, "the neighbour's job", ended).await?;
        neighbours.push(enqueued.elapsed());
    }
    probes.sort();
    neighbours.sort();
    println!(
        "/readyz beside 8 spinning guests: median {:?}, longest {:?}; bound {PROBE:?}",
        probes[10], probes[19]
    );
    println!(
        "a neighbour's job: median {:?}, longest {:?}; bound {NEIGHBOUR:?}",
        neighbours[10], neighbours[19]
    );
    assert!(probes[19] <= PROBE * 3 && neighbours[19] <= NEIGHBOUR * 3);
    spinning.client().cancel(spinning.ids()).await?;
    spinning.finished(flyball_tests::GENEROUS).await?;
    node.drain().await?;
    Ok(())
}

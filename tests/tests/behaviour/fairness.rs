//! Spinning guests on every core, and guests that read without end, delay neither probes nor neighbours beyond their
//! bounds.

use std::time::Duration;

use anyhow::Result;
use flyball::job::{JobId, JobState};
use flyball_tests::load::Load;
use flyball_tests::proxy::{Hold, Pattern};
use flyball_tests::{GENEROUS, Node, ambient, eventually};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    eight_spinning_jobs_delay_neither_the_probe_nor_a_neighbour,
    guests_that_read_on_and_on_do_not_hold_up_a_neighbour,
);

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
    eventually(GENEROUS, "eight to spin", async || count() >= 8).await?;
    let (mut probes, mut neighbours) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let asked = ambient::instant();
        assert_eq!(node.get("/readyz").await?.status, 200);
        probes.push(asked.elapsed());
        let load = Load::enqueue(world.home.database(), "echo", 1, |_| json!({})).await?;
        let enqueued = ambient::instant();
        let ended = async || load.job(load.ids()[0]).await.map(|(job, _)| job.state == JobState::Succeeded);
        eventually(GENEROUS, "the neighbour's job", ended).await?;
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
    spinning.finished(GENEROUS).await?;
    node.drain().await?;
    Ok(())
}

/// Jobs that fan out, each with a continuation that does this.
async fn fan_outs(world: &World, count: usize, children: Value, reads: u32) -> Result<Load> {
    let grants = "[grants.enqueue]\nkinds = [\"echo\", \"misbehave\"]\n";
    std::fs::write(world.home.plugins().join("echo.toml"), grants)?;
    let asks = json!({ "do": "ask-for-children", "times": reads });
    let args = json!({ "follow_ups": [children], "barrier": { "kind": "misbehave", "args": asks } });
    Load::enqueue(world.home.database(), "echo", count, |_| args.clone()).await
}

/// How long it takes until so many jobs have ended, one after the other.
async fn neighbours(world: &World, count: usize) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    for _ in 0..count {
        let enqueued = ambient::instant();
        let load = Load::enqueue(world.home.database(), "echo", 1, |_| json!({})).await?;
        let ended = async || load.job(load.ids()[0]).await.map(|(job, _)| job.state == JobState::Succeeded);
        eventually(GENEROUS, "the neighbour's job", ended).await?;
        took.push(enqueued.elapsed());
    }
    took.sort();
    Ok(took)
}

/// The jobs that continue the others, once they run.
async fn continuations(load: &Load, count: usize) -> Result<Vec<JobId>> {
    let mut running = Vec::new();
    eventually(GENEROUS, "the continuations to run", async || {
        let everything = load.everything().await?;
        let continues = everything.iter().filter(|job| job.continues_run_id.is_some());
        running = continues.filter(|job| job.state == JobState::Running).map(|job| job.id).collect();
        anyhow::Ok(running.len() == count)
    })
    .await?;
    Ok(running)
}

/// Each asks for a megabyte, over and over.
async fn guests_that_read_on_and_on_do_not_hold_up_a_neighbour(world: World) -> Result<()> {
    let world = world.with(&["misbehave", "echo"])?;
    let children = json!({ "kind": "echo", "times": 12, "args": { "output": "x".repeat(100_000) } });
    let load = fan_outs(&world, 8, children, 1_000_000).await?;
    let mut node = Node::serve(&world.home, &["--concurrency", "20", "--drain-timeout", "0s"]).await?;
    let reading = continuations(&load, 8).await?;
    let took = neighbours(&world, 20).await?;
    println!(
        "a neighbour's job beside 8 guests that read: median {:?}, longest {:?}; bound {NEIGHBOUR:?}",
        took[10], took[19]
    );
    assert!(took[19] <= NEIGHBOUR * 3, "{took:?}");
    load.client().cancel(&reading).await?;
    let ended = async || {
        let everything = load.everything().await?;
        anyhow::Ok(everything.iter().all(|job| job.state.is_terminal()))
    };
    eventually(GENEROUS, "the continuations to end", ended).await?;
    node.drain().await?;
    Ok(())
}

/// What guests read is never answered. Each such read would keep a connection for five seconds, and there are more of
/// them than connections.
#[tokio::test]
async fn reads_of_guests_that_hang_do_not_hold_up_a_neighbour() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["misbehave", "echo"])?;
    let (home, proxy) = world.behind_a_proxy()?;
    let load = fan_outs(&world, 24, json!({ "kind": "echo" }), 1).await?;
    let read = || proxy.hold_next(Pattern::statement("jobs that a barrier waited for"));
    let mut held: Vec<Hold> = (0..200).map(|_| read()).collect();
    let mut node = Node::serve(&home, &["--concurrency", "40"]).await?;
    let _first = held.remove(0).struck(GENEROUS).await?;
    let reading = continuations(&load, 24).await?;
    let took = neighbours(&world, 5).await?;
    println!("a neighbour's job beside reads that hang: longest {:?}", took[4]);
    let sum: Duration = took.iter().sum();
    assert!(sum < NEIGHBOUR * 3, "{took:?}");
    drop(held);
    load.client().cancel(&reading).await?;
    node.drain().await?;
    Ok(())
}

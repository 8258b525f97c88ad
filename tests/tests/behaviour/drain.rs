//! SIGTERM: what runs is finished, what does not finish goes back without charge.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::{JobState, Outcome};
use flyball_tests::load::Load;
use flyball_tests::proxy::Pattern;
use flyball_tests::{GENEROUS, Node, ambient, eventually};
use serde_json::json;

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_node_told_to_stop_finishes_what_runs_and_exits_with_0,
    a_drain_that_must_interrupt_gives_back_without_charge_and_exits_with_3,
    a_second_signal_interrupts_at_once,
);

async fn started(node: &Node) -> Result<()> {
    node.log().wait_for(GENEROUS, "a guest", |line| line.text.contains("guest started").then_some(())).await
}

async fn a_node_told_to_stop_finishes_what_runs_and_exits_with_0(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &["--concurrency", "2"]).await?;
    let load = Load::enqueue(world.home.database(), "echo", 4, |_| json!({ "sleep_ms": 1500 })).await?;
    started(&node).await?;
    node.terminate()?;
    let unready = async || node.get("/readyz").await.map(|answer| answer.status == 503);
    eventually(GENEROUS, "the node to be unready", unready).await?;
    let exit = node.wait(GENEROUS).await?;
    assert_eq!(exit.status.code(), Some(0));
    let audit = load.audit().await?;
    println!("after the drain: {:?}", audit.states);
    assert!(!audit.states.contains_key(&JobState::Running), "{:?}", audit.states);
    assert!(audit.states.get(&JobState::Succeeded).is_some_and(|count| *count >= 1));
    assert_eq!(audit.outcomes.keys().collect::<Vec<_>>(), [&Outcome::Success]);
    Ok(())
}

async fn a_drain_that_must_interrupt_gives_back_without_charge_and_exits_with_3(world: World) -> Result<()> {
    let world = world.with(&["misbehave"])?;
    let mut node = Node::serve(&world.home, &["--drain-timeout", "300ms"]).await?;
    let load =
        Load::enqueue(world.home.database(), "misbehave", 1, |_| json!({ "do": "spin-unstoppably" })).await?;
    started(&node).await?;
    let exit = node.drain().await?;
    assert_eq!(exit.status.code(), Some(3), "{}", node.log().tail(20));
    given_back(&load).await
}

async fn a_second_signal_interrupts_at_once(world: World) -> Result<()> {
    let world = world.with(&["misbehave"])?;
    let mut node = Node::serve(&world.home, &["--drain-timeout", "1h"]).await?;
    let load =
        Load::enqueue(world.home.database(), "misbehave", 1, |_| json!({ "do": "spin-unstoppably" })).await?;
    started(&node).await?;
    node.terminate()?;
    node.log().wait_for(GENEROUS, "the drain", |line| line.text.contains("draining").then_some(())).await?;
    node.terminate()?;
    let exit = node.wait(GENEROUS).await?;
    assert_eq!(exit.status.code(), Some(3));
    given_back(&load).await
}

/// The claimer waits for an answer that does not come: nobody else waits for the claimer.
#[tokio::test]
async fn a_second_signal_interrupts_at_once_though_the_database_is_deaf_and_a_third_ends_the_process()
-> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["misbehave"])?;
    let (through, proxy) = world.behind_a_proxy()?;
    let mut node =
        Node::serve(&through, &["--drain-timeout", "1h", "--concurrency", "2", "--poll-interval", "10ms"])
            .await?;
    let _load =
        Load::enqueue(world.home.database(), "misbehave", 1, |_| json!({ "do": "spin-unstoppably" })).await?;
    started(&node).await?;
    let _unanswered =
        proxy.hold_next(Pattern::statement("Claims due jobs for a node")).struck(GENEROUS).await?;
    proxy.go_deaf();
    node.terminate()?;
    node.log().wait_for(GENEROUS, "the drain", |line| line.text.contains("draining").then_some(())).await?;
    let told = ambient::instant();
    node.terminate()?;
    node.log().wait_for(GENEROUS, "the end", |line| line.text.contains("guest ended").then_some(())).await?;
    assert!(told.elapsed() < Duration::from_secs(2), "{:?}", told.elapsed());
    node.terminate()?;
    let exit = node.wait(GENEROUS).await?;
    assert_eq!(exit.status.code(), Some(3));
    assert!(told.elapsed() < Duration::from_secs(4), "{:?}", told.elapsed());
    Ok(())
}

async fn given_back(load: &Load) -> Result<()> {
    let (job, runs) = load.job(load.ids()[0]).await?;
    assert_eq!((job.state, job.failures, job.crashes), (JobState::Available, 0, 0));
    let run = runs.first().context("a run")?;
    assert_eq!(run.outcome, Outcome::Released);
    Ok(())
}

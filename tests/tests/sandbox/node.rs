//! What attempts share: memory, slots, threads. Whoever finds them spent gives its job back.

use std::time::Duration;

use anyhow::Result;
use flyball::job::{ChildRecord, JobId, JobState, Json, Kind, Release, Timestamp, Tries, Verdict};
use flyball::sandbox::{Allocator, SandboxConfig};
use flyball_tests::{GENEROUS, eventually};

use crate::ground::{self, Ground};

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn an_attempt_that_grows_when_the_node_is_full_is_given_back() -> Result<()> {
    let config = SandboxConfig { guest_memory: 40 * MIB, ..SandboxConfig::default() };
    let ground = Ground::with(config)?;
    assert_eq!(ground.sandbox.guest_memory_limit(), 40 * MIB);
    let worker = ground.worker("misbehave").await?;
    let (attempt, _) = ground.attempt(r#"{"do": "eat-memory"}"#)?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert!(matches!(ended.verdict, Verdict::Released(Release::Memory)), "{:?}", ended.verdict);
    assert!(ended.evidence.meter.peak_memory_bytes > 30 * MIB, "{:?}", ended.evidence.meter);
    assert_eq!(ground.sandbox.guest_memory_in_use(), 0);
    Ok(())
}

#[tokio::test]
async fn a_job_that_was_given_back_twice_starts_only_with_all_of_its_memory() -> Result<()> {
    let config = SandboxConfig { guest_memory: 150 * MIB, ..SandboxConfig::default() };
    let ground = Ground::with(config)?;
    let worker = ground.worker("misbehave").await?;
    let run = |releases, deed| {
        let ground = &ground;
        let worker = worker.clone();
        async move {
            let (mut attempt, _) = ground.attempt(deed)?;
            attempt.job.tries = Tries { attempt: 3, releases, ..Tries::default() };
            attempt.budget.timeout = Duration::from_secs(600);
            attempt.budget.memory_bytes = 100 * MIB;
            anyhow::Ok(ground.sandbox.run(&worker, attempt).await)
        }
    };
    let mut first = Box::pin(run(2, r#"{"do": "sleep"}"#));
    let reserved = async || {
        let polled = futures::poll!(&mut first);
        polled.is_pending() && ground.sandbox.guest_memory_in_use() == 100 * MIB
    };
    eventually(GENEROUS, "the first to have reserved its memory", reserved).await?;
    let ended = run(2, r#"{"do": "trap"}"#).await?;
    assert!(matches!(ended.verdict, Verdict::Released(Release::Memory)), "{:?}", ended.verdict);
    assert_eq!(ended.evidence.meter.fuel_used, 0, "it did not start");
    let ended = run(1, r#"{"do": "trap"}"#).await?;
    assert!(matches!(ended.verdict, Verdict::Failed(_)), "{:?}", ended.verdict);
    drop(first);
    eventually(GENEROUS, "the first to be gone", async || ground.sandbox.guest_memory_in_use() == 0).await?;
    Ok(())
}

#[tokio::test]
async fn an_attempt_that_finds_no_free_sandbox_is_given_back() -> Result<()> {
    let ground = Ground::with(SandboxConfig { slots: 1, ..SandboxConfig::default() })?;
    let worker = ground.worker("misbehave").await?;
    let mut sleeping = tokio::task::JoinSet::new();
    // One slot, and the spare ones that workers are loaded in.
    for _ in 0..15 {
        let (attempt, _) = ground.attempt(r#"{"do": "sleep"}"#)?;
        let (sandbox, worker) = (ground.sandbox.clone(), worker.clone());
        sleeping.spawn(async move { sandbox.run(&worker, attempt).await });
    }
    let ended = sleeping.join_next().await.expect("fifteen were spawned")?;
    assert!(matches!(ended.verdict, Verdict::Released(Release::Pool)), "{:?}", ended.verdict);
    Ok(())
}

#[tokio::test]
async fn attempts_run_side_by_side_with_either_allocator() -> Result<()> {
    for allocator in [Allocator::Pooling, Allocator::OnDemand] {
        let ground = Ground::with(SandboxConfig { slots: 50, allocator, ..SandboxConfig::default() })?;
        let worker = ground.worker("echo").await?;
        let mut running = tokio::task::JoinSet::new();
        let begun = flyball_tests::ambient::instant();
        for n in 0..50 {
            let (attempt, _) = ground.attempt(&format!(r#"{{"sleep_ms": 200, "n": {n}}}"#))?;
            let (sandbox, worker) = (ground.sandbox.clone(), worker.clone());
            running.spawn(async move { (n, sandbox.run(&worker, attempt).await) });
        }
        while let Some(ended) = running.join_next().await {
            let (n, ended) = ended?;
            assert_eq!(ground::output(&ended.verdict)?["args"]["n"], n);
        }
        println!("{allocator:?}: 50 that sleep 200 ms took {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_millis(200 * 50), "one after the other");
    }
    Ok(())
}

#[tokio::test]
async fn what_an_attempt_reads_of_its_children_counts_for_the_memory_of_the_node() -> Result<()> {
    let config = SandboxConfig { guest_memory: 40 * MIB, ..SandboxConfig::default() };
    let ground = Ground::with(config)?;
    let worker = ground.worker("misbehave").await?;
    for (bytes, fits) in [(1 << 20, true), (12 << 20, false)] {
        let (attempt, memory) = ground.attempt(r#"{"do": "ask-for-children", "times": 50}"#)?;
        ground::lock(&memory.children).extend([child(bytes), child(bytes)]);
        let ended = ground.sandbox.run(&worker, attempt).await;
        if fits {
            assert_eq!(ground::output(&ended.verdict)?, 100);
        } else {
            assert!(matches!(ended.verdict, Verdict::Released(Release::Memory)), "{:?}", ended.verdict);
        }
        assert_eq!(ground.sandbox.guest_memory_in_use(), 0);
    }
    Ok(())
}

fn child(bytes: usize) -> ChildRecord {
    ChildRecord {
        id: JobId::mint(Timestamp::EPOCH),
        kind: Kind::stored("tried"),
        state: JobState::Succeeded,
        attempt: 1,
        output: Some(Json::stored(format!("\"{}\"", "x".repeat(bytes)))),
        error_class: None,
        error_message: None,
    }
}

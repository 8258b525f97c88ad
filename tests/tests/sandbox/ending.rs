//! How an attempt is ended from outside: politely, for good, and by faults that are none of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;
use flyball::clock::Clock;
use flyball::job::{ErrorClass, Release, Timestamp, Verdict};
use flyball::sandbox::{Allocator, SandboxConfig, StopCause};
use flyball_tests::{GENEROUS, eventually};

use crate::ground::{self, Ground};

const UNTIL_STOPPED: &str = r#"{"until_stopped": true}"#;

#[tokio::test]
async fn a_worker_that_is_asked_to_stop_and_returns_in_time_keeps_its_outcome() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let causes =
        [(StopCause::Cancel, "cancel"), (StopCause::Drain, "drain"), (StopCause::LeaseLost, "drain")];
    for (cause, word) in causes {
        let (attempt, _) = ground.attempt(UNTIL_STOPPED)?;
        attempt.stop.ask(cause, GENEROUS);
        let ended = ground.sandbox.run(&worker, attempt).await;
        assert_eq!(ground::output(&ended.verdict)?["stopped"], word);
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_is_told_that_its_time_is_all_but_over() -> Result<()> {
    let ground = Ground::with(SandboxConfig { stop_grace: GENEROUS, ..SandboxConfig::default() })?;
    let worker = ground.worker("echo").await?;
    let (mut attempt, _) = ground.attempt(UNTIL_STOPPED)?;
    // A quarter of the time-out is left at most.
    attempt.budget.timeout = Duration::from_secs(4);
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert_eq!(ground::output(&ended.verdict)?["stopped"], "deadline");
    let took = ended.evidence.duration;
    assert!((3000..4000).contains(&took.as_millis()), "{took:?}");
    Ok(())
}

#[tokio::test]
async fn a_worker_that_goes_on_is_stopped_when_its_grace_is_over_with_the_verdict_of_the_cause() -> Result<()>
{
    let ground = Ground::new()?;
    let worker = ground.worker("misbehave").await?;
    let causes = [
        (StopCause::Cancel, "Stopped"),
        (StopCause::Drain, "Released(Drain)"),
        (StopCause::LeaseLost, "Released(LeaseLost)"),
    ];
    // What spins gets time enough to be seen spinning, on a machine that has much else to do as well.
    let deeds = [(r#"{"do": "spin"}"#, 1000), (r#"{"do": "sleep"}"#, 100)];
    for (deed, grace) in deeds {
        for (cause, verdict) in causes {
            let (mut attempt, _) = ground.attempt(deed)?;
            attempt.budget.fuel = 1 << 50;
            attempt.stop.ask(cause, Duration::from_millis(grace));
            let ended = ground.sandbox.run(&worker, attempt).await;
            assert_eq!(format!("{:?}", ended.verdict), verdict);
            println!("{deed} by {cause:?}: {:?} {:?}", ended.evidence.duration, ended.evidence.meter);
            if deed.contains("spin") {
                // A tight loop burns about 250 M in a tenth of a second of its own; what it burnt until its last slice is told.
                let fuel = ended.evidence.meter.fuel_used;
                assert!(fuel >= 10_000_000, "interrupted after {:?} with {fuel}", ended.evidence.duration);
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_lease_ends_a_guest_at_its_next_tick_and_lets_none_begin() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("misbehave").await?;
    let (mut attempt, memory) = ground.attempt(r#"{"do": "spin"}"#)?;
    attempt.budget.fuel = 1 << 50;
    let running = tokio::spawn({
        let (sandbox, worker) = (ground.sandbox.clone(), worker.clone());
        async move { sandbox.run(&worker, attempt).await }
    });
    eventually(GENEROUS, "the guest to have memory", async || ground.sandbox.guest_memory_in_use() > 0)
        .await?;
    memory.lost_lease.store(true, Ordering::Relaxed);
    let ended = running.await?;
    assert!(matches!(ended.verdict, Verdict::Released(Release::LeaseLost)), "{:?}", ended.verdict);

    let (attempt, memory) = ground.attempt("{}")?;
    memory.lost_lease.store(true, Ordering::Relaxed);
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert!(matches!(ended.verdict, Verdict::Released(Release::LeaseLost)), "{:?}", ended.verdict);
    assert_eq!((ended.evidence.component_digest, ended.evidence.meter.fuel_used), (None, 0));
    Ok(())
}

#[tokio::test]
async fn a_deadline_is_counted_on_the_clock_of_the_node() -> Result<()> {
    let wall = Timestamp::from_micros(1_700_000_000_000_000);
    let clock = Clock::manual(wall);
    let sandbox = flyball::sandbox::Sandbox::start(SandboxConfig::default(), clock.clone())?;
    let ground = Ground::new()?;
    let (wasm, code) = ground.compiled("misbehave").await?;
    let worker = sandbox.prepare(ground::kind()?, &wasm, &code, "digest".into()).await?;
    let (mut attempt, _) = ground.attempt(r#"{"do": "sleep"}"#)?;
    attempt.stop = flyball::sandbox::Stop::new(clock.clone());
    let running = tokio::spawn({
        let sandbox = sandbox.clone();
        async move { sandbox.run(&worker, attempt).await }
    });
    eventually(GENEROUS, "the guest to have memory", async || sandbox.guest_memory_in_use() > 0).await?;
    clock.advance(Duration::from_secs(61));
    let ended = running.await?;
    let Verdict::Failed(failure) = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
    assert_eq!(failure.class(), ErrorClass::Timeout);
    assert_eq!(failure.message(), "the attempt ran longer than its 60s");
    Ok(())
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_any_more_is_stopped() -> Result<()> {
    for allocator in [Allocator::Pooling, Allocator::OnDemand] {
        let ground = Ground::with(SandboxConfig { allocator, ..SandboxConfig::default() })?;
        let worker = ground.worker("misbehave").await?;
        for deed in [r#"{"do": "spin"}"#, r#"{"do": "sleep"}"#] {
            let (mut attempt, _) = ground.attempt(deed)?;
            attempt.budget.fuel = 1 << 50;
            attempt.budget.timeout = Duration::from_secs(3600);
            let (sandbox, worker) = (ground.sandbox.clone(), worker.clone());
            let running = tokio::spawn(async move { sandbox.run(&worker, attempt).await });
            let used = async || ground.sandbox.guest_memory_in_use() > 0;
            eventually(GENEROUS, "the guest to have memory", used).await?;
            running.abort();
            let gone = async || ground.sandbox.guest_memory_in_use() == 0;
            eventually(GENEROUS, "the guest to be gone", gone).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_host_function_that_panics_ends_one_attempt_and_nothing_else() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    for _ in 0..3 {
        let (mut attempt, _) = ground.attempt(r#"{"log": "this line is the last"}"#)?;
        attempt.ports = Arc::new(Faulty);
        let ended = ground.sandbox.run(&worker, attempt).await;
        let Verdict::Failed(failure) = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
        assert_eq!(failure.class(), ErrorClass::Transient);
        assert_eq!(failure.message(), "a fault of the host ended the attempt: this line is not welcome");
        assert_eq!(ground.sandbox.guest_memory_in_use(), 0);
    }
    let (attempt, _) = ground.attempt("{}")?;
    ground::output(&ground.sandbox.run(&worker, attempt).await.verdict)?;
    Ok(())
}

/// Ports that panic when they hear a line.
struct Faulty;

#[async_trait::async_trait]
impl flyball::sandbox::Ports for Faulty {
    fn holds_lease(&self) -> bool {
        true
    }

    fn follow_up(
        &self,
        _: flyball::sandbox::FollowUpRequest,
    ) -> Result<flyball::job::NewJob, flyball::sandbox::Refusal> {
        Err(flyball::sandbox::Refusal::TooMany("none".into()))
    }

    fn progress(&self, _: f64, _: Option<&str>) {}

    fn save_checkpoint(&self, _: Arc<[u8]>) {}

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, flyball::sandbox::Unread> {
        Ok(None)
    }

    async fn children(
        &self,
        _: u32,
        _: u32,
    ) -> Result<Vec<flyball::job::ChildRecord>, flyball::sandbox::Unread> {
        Ok(Vec::new())
    }

    fn log(&self, _: &flyball::job::LogRecord) {
        panic!("this line is not welcome")
    }
}

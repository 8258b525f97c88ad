//! Does the sandbox hold? Every guest of the list, eight at once on two threads, beside a neighbour that behaves.

mod case;
#[path = "../sandbox/ground.rs"]
#[expect(dead_code, reason = "the tests of well-behaved guests use more of it")]
mod ground;
mod judge;
mod machine;
mod neighbour;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use flyball::sandbox::{Allocator, LoadError, SandboxConfig, StopCause};
use flyball_tests::ambient::instant;
use flyball_tests::{GENEROUS, eventually};
use futures::{StreamExt as _, TryStreamExt as _};

use case::{Case, Misbehaviour};
use ground::Ground;
use machine::Machine;
use neighbour::{Neighbour, per_mille};

const AT_ONCE: usize = 8;
const THREADS: usize = 2;

fn ground(allocator: Allocator) -> Result<Arc<Ground>> {
    let config = SandboxConfig { allocator, threads: THREADS, slots: 16, ..SandboxConfig::default() };
    Ok(Arc::new(Ground::with(config)?))
}

async fn misbehave(ground: &Ground, case: &Case) -> Result<()> {
    let worker = ground.worker(&case.guest()).await?;
    let (mut attempt, _) = ground.attempt(&case.args)?;
    attempt.budget = case.budget()?;
    let (job, stop, cancel_after) = (attempt.job.clone(), attempt.stop.clone(), case.cancel_after()?);
    let running = ground.sandbox.run(&worker, attempt);
    let cancel = async {
        if let Some(after) = cancel_after {
            ground.clock.sleep(after).await;
            stop.ask(StopCause::Cancel, Duration::from_millis(200));
        }
    };
    let (ended, ()) = tokio::join!(running, cancel);
    println!("{:>12?}  {}", ended.evidence.duration, case.name);
    judge::check(case, job, ended)
}

/// All of them, eight at a time; answers what went wrong.
async fn round(ground: &Ground, cases: &[Case]) -> Vec<String> {
    let all = cases.iter().map(async |case| {
        let ended = misbehave(ground, case).await;
        ended.map_err(|error| format!("{}: {error:#}", case.name)).err()
    });
    futures::stream::iter(all).buffer_unordered(AT_ONCE).filter_map(futures::future::ready).collect().await
}

async fn load_all(ground: &Ground, cases: &[Case]) -> Result<()> {
    let guests: std::collections::BTreeSet<_> = cases.iter().map(Case::guest).collect();
    futures::stream::iter(guests)
        .map(Ok)
        .try_for_each(async |guest: String| ground.worker(&guest).await.map(drop))
        .await
}

async fn every_guest_ends_as_its_line_says(allocator: Allocator) -> Result<()> {
    let cases = Misbehaviour::read()?.case;
    let ground = ground(allocator)?;
    load_all(&ground, &cases).await?;
    let neighbour = Neighbour::of(&ground).await?;
    let wrong = round(&ground, &cases).await;
    let fared = neighbour.move_out().await?;
    let (p50, p99) = (per_mille(&fared.jobs, 500), per_mille(&fared.jobs, 990));
    let slowest = fared.jobs.last().copied().unwrap_or_default();
    println!(
        "{allocator:?}: {} jobs of the neighbour: p50 {p50:?}, p99 {p99:?}, slowest {slowest:?}",
        fared.jobs.len()
    );
    let latest = fared.late.last().copied().unwrap_or_default();
    println!(
        "{allocator:?}: its timer was late by {:?} (p99), {latest:?} (worst)",
        per_mille(&fared.late, 990)
    );
    ensure!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    ensure!(p99 < Duration::from_secs(1), "the neighbour's jobs took {p99:?}");
    ensure!(per_mille(&fared.late, 990) < Duration::from_millis(300), "timers were late");
    ensure!(ground.sandbox.guest_memory_in_use() == 0, "guest memory was lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_pool_every_guest_ends_as_its_line_says_and_its_neighbour_finishes_on_time() -> Result<()> {
    every_guest_ends_as_its_line_says(Allocator::Pooling).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_pool_every_guest_ends_as_its_line_says_and_its_neighbour_finishes_on_time() -> Result<()> {
    every_guest_ends_as_its_line_says(Allocator::OnDemand).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_misbehaves_before_it_is_asked_for_work_is_not_taken() -> Result<()> {
    let ground = ground(Allocator::Pooling)?;
    for load in Misbehaviour::read()?.load {
        let (wasm, code) = ground.compiled(&load.guest()).await?;
        let begun = instant();
        let refused = ground.sandbox.prepare(ground::kind()?, &wasm, &code, "digest".into()).await;
        println!("{:?}  {}: {:?}", begun.elapsed(), load.name, refused.as_ref().err());
        ensure!(matches!(&refused, Err(LoadError::Refused(_))), "{} was taken, or not judged", load.name);
        ensure!(begun.elapsed() < Duration::from_secs(30), "{} took {:?}", load.name, begun.elapsed());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_spinning_guests_to_a_thread_do_not_hold_up_a_neighbour() -> Result<()> {
    a_neighbour_finishes_on_time_beside(r#"{"do":"spin"}"#).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_guests_to_a_thread_that_keep_the_host_busy_do_not_hold_up_a_neighbour() -> Result<()> {
    a_neighbour_finishes_on_time_beside(r#"{"do":"log-in-a-row","bytes":8000000,"times":1000000}"#).await
}

/// Eight guests on two threads do this, for as long as a neighbour runs fifty jobs.
async fn a_neighbour_finishes_on_time_beside(deed: &str) -> Result<()> {
    let ground = ground(Allocator::Pooling)?;
    let worker = ground.worker("misbehave").await?;
    let mut spinning = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (mut attempt, _) = ground.attempt(deed)?;
        attempt.budget.fuel = 1 << 50;
        attempt.budget.timeout = Duration::from_secs(600);
        let (sandbox, worker) = (ground.sandbox.clone(), worker.clone());
        spinning.spawn(async move { sandbox.run(&worker, attempt).await });
    }
    let all = async || ground.sandbox.guest_memory_in_use() > (AT_ONCE as u64) << 20;
    eventually(GENEROUS, "all of them to be at it", all).await?;
    let echo = ground.worker("echo").await?;
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = instant();
        let (attempt, _) = ground.attempt("{}")?;
        ground::output(&ground.sandbox.run(&echo, attempt).await.verdict)?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    println!(
        "beside {AT_ONCE} that do {deed}: p50 {:?}, slowest {:?}",
        per_mille(&took, 500),
        per_mille(&took, 1000)
    );
    ensure!(spinning.try_join_next().is_none(), "one of them ended");
    ensure!(
        per_mille(&took, 990) < Duration::from_secs(1),
        "a neighbour's job took {:?}",
        per_mille(&took, 990)
    );
    spinning.shutdown().await;
    Ok(())
}

/// The meter tells who computed: eight share two threads, so all of them together computed at most twice the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_that_a_guest_is_charged_for_is_not_that_of_its_neighbours() -> Result<()> {
    let ground = ground(Allocator::Pooling)?;
    let worker = ground.worker("misbehave").await?;
    let begun = instant();
    let spin = async |_| {
        let (mut attempt, _) = ground.attempt(r#"{"do":"spin"}"#)?;
        attempt.budget.fuel = 1 << 50;
        attempt.budget.timeout = Duration::from_millis(800);
        anyhow::Ok(ground.sandbox.run(&worker, attempt).await.evidence.meter.cpu_us)
    };
    let charged = futures::future::try_join_all((0..AT_ONCE).map(spin)).await?;
    let (sum, took) = (Duration::from_micros(charged.iter().sum()), begun.elapsed());
    println!("{AT_ONCE} that spin on {THREADS} threads for {took:?} were charged {sum:?}: {charged:?} us");
    ensure!(sum <= took * 2, "charged {sum:?} in {took:?}");
    ensure!(sum >= took / 4, "charged only {sum:?} in {took:?}");
    Ok(())
}

/// Rounds of all of them, then the sandbox itself goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_files_and_threads_return_to_where_they_were() -> Result<()> {
    let cases = Misbehaviour::read()?.case;
    let before = Machine::now()?;
    let ground = ground(Allocator::Pooling)?;
    load_all(&ground, &cases).await?;
    let quick: Vec<_> =
        cases.into_iter().filter(|case| case.cancel_after().is_ok_and(|it| it.is_none())).collect();
    round(&ground, &quick).await;
    let warm = Machine::now()?;
    for _ in 0..3 {
        round(&ground, &quick).await;
    }
    let after = Machine::now()?;
    drop(ground);
    let gone = async || Machine::now().is_ok_and(|now| now.threads <= before.threads + 4);
    eventually(GENEROUS, "the guest threads to go", gone).await.context("threads")?;
    println!("before {before:?}\nwarm   {warm:?}\nafter  {after:?}\ngone   {:?}", Machine::now()?);
    ensure!(after.resident_bytes < warm.resident_bytes + (64 << 20), "resident memory grew");
    ensure!(after.files <= warm.files + 2, "files are left open");
    ensure!(after.threads <= warm.threads + 4, "threads are left");
    Ok(())
}

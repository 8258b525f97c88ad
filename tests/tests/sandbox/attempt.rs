//! One attempt: what the worker is told, and what comes back.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::{ErrorClass, Json, Outcome, Verdict};
use serde_json::json;

use crate::ground::{self, Ground};

#[tokio::test]
async fn a_worker_is_told_of_its_job_and_its_output_comes_back() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let (mut attempt, _) = ground.attempt(r#"{"x": [1, "ü"]}"#)?;
    let text = r#"{"request_id":"r-7","traceparent":"00-aa-bb-01","free":1}"#;
    attempt.job.metadata = Json::parse(text, 1000)?;
    let job = attempt.job.clone();
    let ended = ground.sandbox.run(&worker, attempt).await;
    let output = ground::output(&ended.verdict)?;
    assert_eq!(output["args"], json!({"x": [1, "ü"]}));
    let told = &output["job"];
    assert_eq!(told["id"], job.id.to_string());
    assert_eq!(told["run_id"], job.run.to_string());
    assert_eq!((&told["attempt"], &told["max_attempts"]), (&json!(1), &json!(25)));
    assert_eq!((&told["request_id"], &told["traceparent"]), (&json!("r-7"), &json!("00-aa-bb-01")));
    assert_eq!(told["metadata"]["free"], 1);
    assert_eq!(told["tags"], json!(["tag"]));
    assert_eq!(ended.evidence.component_digest.as_deref(), Some("digest of echo"));
    let meter = ended.evidence.meter;
    assert!(meter.fuel_used > 1000 && meter.peak_memory_bytes >= 1 << 20, "{meter:?}");
    assert!(ended.evidence.duration > Duration::ZERO);
    Ok(())
}

#[tokio::test]
async fn the_time_that_a_guest_computes_is_told_from_the_time_that_it_waits() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let (attempt, _) = ground.attempt(r#"{"spin_ms": 60}"#)?;
    let spun = ground.sandbox.run(&worker, attempt).await.evidence;
    let (attempt, _) = ground.attempt(r#"{"sleep_ms": 600}"#)?;
    let slept = ground.sandbox.run(&worker, attempt).await.evidence;
    println!("spun 60 ms: {} us; slept 600 ms: {} us", spun.meter.cpu_us, slept.meter.cpu_us);
    // It looks at the clock all the time, which is a call to the host.
    assert!(spun.meter.cpu_us >= 10_000, "{spun:?}");
    assert!(slept.duration >= Duration::from_millis(600) && slept.meter.cpu_us < 300_000, "{slept:?}");
    Ok(())
}

#[tokio::test]
async fn a_failure_that_a_worker_returns_keeps_class_text_and_delay() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let classes = [
        ("transient", ErrorClass::Transient, Outcome::Error),
        ("permanent", ErrorClass::Permanent, Outcome::Error),
        ("validation", ErrorClass::Validation, Outcome::Error),
        ("timeout", ErrorClass::Timeout, Outcome::Timeout),
        ("resource", ErrorClass::Resource, Outcome::Error),
    ];
    for (word, class, outcome) in classes {
        let args =
            json!({"fail": {"class": word, "message": "no", "detail": "more", "retry_after_ms": 7000}});
        let (attempt, _) = ground.attempt(&args.to_string())?;
        let ended = ground.sandbox.run(&worker, attempt).await;
        let Verdict::Failed(failure) = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
        assert_eq!((failure.class(), failure.outcome()), (class, outcome));
        assert_eq!((failure.message(), failure.detail()), ("no", Some("more")));
        assert_eq!(failure.asked_delay(), Some(Duration::from_secs(7)));
    }
    Ok(())
}

#[tokio::test]
async fn a_snooze_and_a_wish_to_be_cancelled_are_what_they_are() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let (attempt, _) = ground.attempt(r#"{"snooze_ms": 1500}"#)?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert!(matches!(ended.verdict, Verdict::Snoozed { delay } if delay == Duration::from_millis(1500)));
    let (attempt, _) = ground.attempt(r#"{"cancel": "moved\naway\u001b"}"#)?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert!(matches!(&ended.verdict, Verdict::Cancelled { reason } if reason == "moved away\\u{1b}"));
    Ok(())
}

#[tokio::test]
async fn follow_ups_and_cost_come_with_a_completion_and_are_gone_without() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let wanted = json!([{"kind": ground::KIND, "args": {"n": 1}, "times": 3, "priority": 7}]);
    let args = json!({"cost": 250, "follow_ups": wanted});
    let (attempt, _) = ground.attempt(&args.to_string())?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    let Verdict::Completed(completion) = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
    assert_eq!((completion.cost_micros, completion.follow_ups.len()), (250, 3));
    let first = completion.follow_ups.first().context("three")?;
    assert_eq!((first.args.as_str(), first.priority), (r#"{"n":1}"#, 7));

    let args = json!({"follow_ups": wanted, "fail": {"class": "permanent", "message": "no"}});
    let (attempt, _) = ground.attempt(&args.to_string())?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert!(matches!(ended.verdict, Verdict::Failed(_)));

    let args = json!({"follow_ups": [{"kind": "others"}], "despite_refusals": true});
    let (attempt, _) = ground.attempt(&args.to_string())?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    let refusals = ground::output(&ended.verdict)?["refusals"].to_string();
    assert!(refusals.contains("the kind others"), "{refusals}");
    Ok(())
}

#[tokio::test]
async fn args_and_output_of_a_megabyte_pass() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let big = "x".repeat((1 << 20) - 100);
    let (attempt, _) = ground.attempt(&json!({"output": big}).to_string())?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert_eq!(ground::output(&ended.verdict)?, big);

    let (mut attempt, _) = ground.attempt(r#"{"do": "return-bytes", "bytes": 16777216}"#)?;
    attempt.budget.output_bytes = 16 << 20;
    attempt.budget.memory_bytes = 256 << 20;
    let worker = ground.worker("misbehave").await?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    assert_eq!(ground::output(&ended.verdict)?.as_str().map(str::len), Some((16 << 20) - 2));
    Ok(())
}

#[tokio::test]
async fn nothing_of_one_attempt_is_left_for_the_next() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let mut first = None;
    for _ in 0..20 {
        let (attempt, _) = ground.attempt("{}")?;
        let ended = ground.sandbox.run(&worker, attempt).await;
        ground::output(&ended.verdict)?;
        let meter = ended.evidence.meter;
        let same = *first.get_or_insert(meter.peak_memory_bytes);
        assert_eq!(meter.peak_memory_bytes, same);
        assert_eq!(ground.sandbox.guest_memory_in_use(), 0);
    }
    Ok(())
}

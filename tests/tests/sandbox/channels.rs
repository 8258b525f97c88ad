//! What a guest says while it runs: log, stdout, stderr, progress.

use anyhow::{Context as _, Result};
use flyball::job::{Json, LogLevel};
use serde_json::json;

use crate::ground::Ground;

#[tokio::test]
async fn log_stdout_and_stderr_become_lines_that_are_told_at_once_and_kept() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let args = json!({"log": "counted", "stdout": "one\ntwo", "stderr": "\u{1b}[31mred"});
    let (attempt, memory) = ground.attempt(&args.to_string())?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    let log = ended.evidence.log;
    let said: Vec<_> = log.iter().map(|line| (line.seq, line.level, line.message.as_str())).collect();
    let expected = [
        (0, LogLevel::Info, "counted"),
        (1, LogLevel::Info, "one"),
        (2, LogLevel::Info, "two"),
        (3, LogLevel::Warn, "\\u{1b}[31mred"),
    ];
    assert_eq!(said, expected);
    let fields = log.first().and_then(|line| line.fields.as_ref()).map(Json::as_str).context("fields")?;
    assert_eq!(serde_json::from_str::<serde_json::Value>(fields)?, json!({"attempt": "1", "length": "7"}));
    assert_eq!(memory.lines(), log);
    let meter = ended.evidence.meter;
    let bytes: usize = log.iter().map(|line| line.message.len()).sum::<usize>() + fields.len();
    assert_eq!((meter.log_bytes, meter.log_dropped), (u64::try_from(bytes)?, 0));
    Ok(())
}

#[tokio::test]
async fn of_many_reports_of_progress_few_are_told_and_the_last_always() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("misbehave").await?;
    let (attempt, memory) = ground.attempt(r#"{"do": "flood-progress", "reports": 200000}"#)?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    let told = memory.progress();
    let most = ended.evidence.duration.as_millis() / 100 + 2;
    println!("{} of 200000 told in {:?}", told.len(), ended.evidence.duration);
    assert!(u128::try_from(told.len())? <= most, "{} told, {most} allowed", told.len());
    let (last, note) = told.last().context("some")?;
    assert!(*last > 0.999_99 && note.as_deref() == Some("and on"), "{last}");
    Ok(())
}

#[tokio::test]
async fn the_last_words_of_a_worker_that_panics_are_in_the_detail() -> Result<()> {
    let ground = Ground::new()?;
    let worker = ground.worker("echo").await?;
    let (attempt, _) = ground.attempt(r#"{"panic": "the pan is hot"}"#)?;
    let ended = ground.sandbox.run(&worker, attempt).await;
    let flyball::job::Verdict::Failed(failure) = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
    println!("{}\n{}", failure.message(), failure.detail().unwrap_or_default());
    assert!(failure.message().starts_with("the worker trapped"), "{}", failure.message());
    assert!(failure.detail().is_some_and(|detail| detail.contains("the pan is hot")), "{failure:?}");
    Ok(())
}

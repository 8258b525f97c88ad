//! What a worker is given, says of itself, and says while it runs.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::{Backoff, Json, LogLevel};
use serde_json::{Value, json};

use super::{Spoken, output};

pub(super) async fn args_arrive_as_they_were_enqueued_and_the_job_with_them(spoken: &Spoken) -> Result<()> {
    let args = json!({"text": "zwölf \u{1f40c}\n\"\\\u{7f}", "list": [1, -2.5, null, true, {"a": []}], "wide": 9_007_199_254_740_991_i64});
    let (mut attempt, _) = spoken.attempt(&args)?;
    attempt.job.tries.attempt = 7;
    attempt.job.tries.failures = 5;
    attempt.job.parent = Some(attempt.job.id);
    attempt.job.metadata =
        Json::parse(r#"{"request_id":"r-1","traceparent":"00-ab-cd-01","more":[1]}"#, 1000)?;
    let job = attempt.job.clone();
    let echo = output(&super::completed(spoken.run(attempt).await)?)?;
    assert_eq!(echo["args"], args);
    let expected = json!({
        "id": job.id.to_string(), "run_id": job.run.to_string(), "kind": "tried", "queue": "default", "attempt": 7,
        "failures": 5, "max_attempts": 25, "parent_id": job.id.to_string(), "created_at": job.created_at.micros(),
        "scheduled_at": job.scheduled_at.micros(), "deadline": job.deadline.micros(), "tags": ["tag"],
        "request_id": "r-1", "traceparent": "00-ab-cd-01",
        "metadata": serde_json::from_str::<Value>(job.metadata.as_str())?,
    });
    assert_eq!(echo["job"], expected);
    Ok(())
}

pub(super) async fn the_output_is_any_json_or_nothing(spoken: &Spoken) -> Result<()> {
    for value in [json!([1, {"ä": "\u{1f40c}"}, null]), json!("text"), json!(0), json!(false), json!({})] {
        let (completion, _) = spoken.complete(&json!({ "output": value })).await?;
        assert_eq!(output(&completion)?, value);
    }
    let (completion, _) = spoken.complete(&json!([1])).await?;
    assert_eq!(output(&completion)?["args"], json!([1]), "args need not be an object");
    Ok(())
}

pub(super) async fn a_worker_says_its_schema_its_defaults_and_what_it_needs(spoken: &Spoken) -> Result<()> {
    let said = spoken.worker.description();
    assert_eq!(said.summary, "Does what its args say, and tells what it was given");
    assert_eq!(said.needs, ["enqueue:report"]);
    let schema: Value = serde_json::from_str(said.args_schema.as_ref().context("a schema")?.as_str())?;
    assert_eq!(schema["properties"], json!({"snooze_ms": {"type": ["integer", "null"], "minimum": 0}}));
    let defaults = &said.defaults;
    assert_eq!(defaults.timeout, Some(Duration::from_secs(60)));
    assert_eq!((defaults.fuel, defaults.memory_bytes), (Some(20_000_000_000), Some(128 << 20)));
    assert_eq!(defaults.max_attempts, Some(25));
    assert_eq!(
        defaults.backoff,
        Some(Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(60) })
    );
    Ok(())
}

pub(super) async fn log_lines_have_their_level_and_their_fields(spoken: &Spoken) -> Result<()> {
    let (attempt, memory) = spoken.attempt(&json!({"log": "counted"}))?;
    let ended = spoken.run(attempt).await;
    let [line] = ended.evidence.log.as_slice() else {
        anyhow::bail!("not one line: {:?}", ended.evidence.log)
    };
    assert_eq!((line.level, line.message.as_str()), (LogLevel::Info, "counted"));
    let fields: Value = serde_json::from_str(line.fields.as_ref().context("fields")?.as_str())?;
    assert_eq!(fields, json!({"attempt": "1", "length": "7"}));
    assert_eq!(memory.lines(), ended.evidence.log);
    Ok(())
}

pub(super) async fn what_is_written_to_stdout_and_stderr_becomes_log_lines(spoken: &Spoken) -> Result<()> {
    let (attempt, _) = spoken.attempt(&json!({"stdout": "out, ä", "stderr": "err"}))?;
    let log = spoken.run(attempt).await.evidence.log;
    let mut said: Vec<_> = log.iter().map(|line| (line.message.as_str(), line.level)).collect();
    // Each is in order for itself; a language may hold stdout back until the end.
    said.sort_unstable_by_key(|(message, _)| *message);
    assert_eq!(said, [("err", LogLevel::Warn), ("out, ä", LogLevel::Info)]);
    Ok(())
}

pub(super) async fn progress_and_cost_are_told(spoken: &Spoken) -> Result<()> {
    let (completion, memory) = spoken.complete(&json!({"progress": 0.25, "cost": 1_500_000_u64})).await?;
    assert_eq!(memory.progress(), [(0.25, Some("echo".to_owned()))]);
    assert_eq!(completion.cost_micros, 1_500_000);
    Ok(())
}

/// An interpreter that was started when its component was built would draw the same in every attempt.
pub(super) async fn two_attempts_draw_different_numbers(spoken: &Spoken) -> Result<()> {
    let (mut drawn, mut sources) = (HashSet::new(), 0);
    for _ in 0..2 {
        let (completion, _) = spoken.complete(&json!({"draw": true})).await?;
        let numbers = serde_json::from_value::<Vec<String>>(output(&completion)?)?;
        sources += numbers.len();
        drawn.extend(numbers);
    }
    assert!(sources > 0, "nothing was drawn");
    assert_eq!(drawn.len(), sources, "something was drawn twice: {drawn:?}");
    Ok(())
}

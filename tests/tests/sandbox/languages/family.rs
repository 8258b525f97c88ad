//! The jobs that a worker asks for and continues, and what it leaves for itself.

use anyhow::{Context as _, Result};
use flyball::job::{ChildRecord, ErrorClass, JobId, JobState, Json, NewJob, Timestamp};
use serde_json::{Value, json};

use super::{Spoken, completed, output};
use crate::ground;

/// Everything that can be said of a follow-up.
fn wish() -> Value {
    json!({
        "kind": "tried", "args": {"page": "ä", "n": [1]}, "queue": "slow", "priority": 7, "delay_ms": 5_000_000_000_i64,
        "unique_key": "u", "unique_active_key": "a", "max_attempts": 3, "executor_class": "gpu", "tags": ["x", "y"],
    })
}

fn assert_granted(job: &NewJob) -> Result<()> {
    assert_eq!((job.kind.as_str(), job.queue.as_str(), job.priority), ("tried", "slow", 7));
    assert_eq!(serde_json::from_str::<Value>(job.args.as_str())?, json!({"page": "ä", "n": [1]}));
    assert_eq!(job.scheduled_at, Timestamp::EPOCH.after(std::time::Duration::from_secs(5_000_000)));
    let keys =
        [&job.unique_key, &job.unique_active_key].map(|key| key.as_ref().map(|key| key.as_str().to_owned()));
    assert_eq!(keys, [Some("u".to_owned()), Some("a".to_owned())]);
    assert_eq!((job.overrides.max_attempts, job.executor_class.as_str()), (Some(3), "gpu"));
    assert_eq!(job.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(), ["x", "y"]);
    Ok(())
}

pub(super) async fn a_follow_up_has_all_that_was_said_of_it(spoken: &Spoken) -> Result<()> {
    let plain = json!({"kind": "tried", "times": 2});
    let (completion, _) = spoken.complete(&json!({"follow_ups": [wish(), plain]})).await?;
    let [rich, poor, again] = completion.follow_ups.as_slice() else { anyhow::bail!("{completion:?}") };
    assert_granted(rich)?;
    for job in [poor, again] {
        assert_eq!((job.queue.as_str(), job.priority, job.args.as_str()), ("default", 100, "null"));
        assert_eq!((job.unique_key.is_none(), job.overrides.max_attempts, job.tags.len()), (true, None, 0));
    }
    Ok(())
}

pub(super) async fn a_refused_follow_up_can_be_caught_and_is_permanent_if_it_is_not(
    spoken: &Spoken,
) -> Result<()> {
    let mut orders = json!({"follow_ups": [{"kind": "else"}, {"kind": "Not A Kind"}, {"kind": "tried"}]});
    let failure = spoken.fail(&orders).await?;
    assert_eq!(
        (failure.class(), failure.message()),
        (ErrorClass::Permanent, "follow-up refused: the kind else")
    );
    orders["despite_refusals"] = json!(true);
    let (completion, _) = spoken.complete(&orders).await?;
    assert_eq!(completion.follow_ups.len(), 1);
    let echo = output(&completion)?;
    let refusals = echo["refusals"].as_array().context("refusals")?;
    assert_eq!((refusals.len(), &refusals[0]), (2, &json!("follow-up refused: the kind else")));
    Ok(())
}

pub(super) async fn a_barrier_is_set_behind_the_follow_ups(spoken: &Spoken) -> Result<()> {
    let orders = json!({"follow_ups": [{"kind": "tried"}], "barrier": wish()});
    let (completion, _) = spoken.complete(&orders).await?;
    assert_eq!(completion.follow_ups.len(), 1);
    assert_granted(completion.barrier.as_ref().context("no barrier")?)?;
    let failure = spoken.fail(&json!({"barrier": {"kind": "else"}})).await?;
    assert_eq!(failure.class(), ErrorClass::Permanent);
    assert!(failure.message().contains("the kind else"), "{}", failure.message());
    Ok(())
}

fn child(state: JobState, attempt: u32, output: Option<&str>, error: Option<&str>) -> Result<ChildRecord> {
    Ok(ChildRecord {
        id: JobId::mint(Timestamp::EPOCH),
        kind: ground::kind()?,
        state,
        attempt,
        output: output.map(|output| Json::parse(output, 1000)).transpose()?,
        error_class: error.map(|_| ErrorClass::Permanent),
        error_message: error.map(str::to_owned),
    })
}

pub(super) async fn children_are_read_to_the_last_with_their_outputs_and_errors(
    spoken: &Spoken,
) -> Result<()> {
    let (attempt, memory) = spoken.attempt(&json!({"children": true}))?;
    let family = vec![
        child(JobState::Succeeded, 1, Some(r#"{"words":[1,"ä"]}"#), None)?,
        child(JobState::Discarded, 3, None, Some("no such page"))?,
        child(JobState::Cancelled, 0, None, None)?,
        child(JobState::Succeeded, 2, None, None)?,
        child(JobState::Available, 4, None, None)?,
    ];
    ground::lock(&memory.children).clone_from(&family);
    let echo = output(&completed(spoken.run(attempt).await)?)?;
    let told = [
        ("succeeded", 1, json!({"words": [1, "ä"]}), json!(null)),
        ("discarded", 3, json!(null), json!("no such page")),
        ("cancelled", 0, json!(null), json!(null)),
        ("succeeded", 2, json!(null), json!(null)),
        ("unfinished", 4, json!(null), json!(null)),
    ];
    let told = family.iter().zip(told).map(|(child, (state, attempts, output, error))| {
        json!({"id": child.id.to_string(), "kind": "tried", "state": state, "attempts": attempts, "output": output, "error": error})
    });
    assert_eq!(echo["children"], Value::Array(told.collect()));
    Ok(())
}

pub(super) async fn a_checkpoint_is_there_in_the_next_attempt(spoken: &Spoken) -> Result<()> {
    let orders = json!({"count_on": true, "fail": {"times": 1}});
    let (first, memory) = spoken.attempt(&orders)?;
    let (mut second, _) = spoken.attempt(&orders)?;
    assert!(matches!(spoken.run(first).await.verdict, flyball::job::Verdict::Failed(_)));
    assert_eq!(ground::lock(&memory.checkpoint).as_deref(), Some(&b"1"[..]));
    second.ports = memory.clone();
    second.job.tries.failures = 1;
    assert_eq!(output(&completed(spoken.run(second).await)?)?["counted"], 1);
    assert_eq!(ground::lock(&memory.checkpoint).as_deref(), Some(&b"2"[..]));
    Ok(())
}

//! Whether an attempt ended as its line says: the verdict is settled as the runner would settle it, and compared.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use flyball::job::{Claim, ExecutorClass, Json, Lineage, Overrides, RetryPolicy, Settlement, Timestamp};
use flyball::sandbox::{Ended, GuestJob};

use crate::case::{Case, Ends};

/// Settles what ended and compares it with its line.
pub(crate) fn check(case: &Case, job: GuestJob, ended: Ended) -> Result<()> {
    let dropped = ended.evidence.meter.log_dropped;
    on_time(case, ended.evidence.duration)?;
    bounded(&ended)?;
    let now = job.created_at;
    let settled = claim(job).settle(ended.verdict, ended.evidence, &RetryPolicy::default(), now);
    matches(&case.ends, &settled, dropped).with_context(|| format!("{settled:?}"))
}

/// A limit of time holds if it holds three times over: the machine of the tests is not ours alone.
fn on_time(case: &Case, took: Duration) -> Result<()> {
    let budget = case.budget()?;
    let most = match case.cancel_after()? {
        Some(after) => after + Duration::from_millis(200) + Duration::from_millis(250),
        None => budget.timeout,
    };
    ensure!(took < most * 3, "it took {took:?}; {most:?} are promised");
    Ok(())
}

fn bounded(ended: &Ended) -> Result<()> {
    let log = &ended.evidence.log;
    let bytes = ended.evidence.meter.log_bytes;
    ensure!(log.len() <= 2000 && bytes <= 256 << 10, "{} lines and {bytes} bytes of log", log.len());
    ensure!(log.iter().all(|line| line.message.len() <= 8 << 10), "a line that is too long");
    ensure!(log.is_sorted_by_key(|line| line.seq), "lines out of order");
    Ok(())
}

fn matches(ends: &Ends, settled: &Settlement, dropped: u64) -> Result<()> {
    let end = &settled.end;
    let outcome = end.outcome.context("no outcome")?.as_str();
    ensure!(outcome == ends.outcome, "outcome {outcome}, not {}", ends.outcome);
    if let Some(class) = &ends.error_class {
        ensure!(end.error_class.is_some_and(|found| found.as_str() == class), "not of class {class}");
    }
    if let Some(state) = &ends.state {
        ensure!(settled.transition.state().as_str() == state, "not to state {state}");
    }
    let message = end.error_message.as_deref().unwrap_or_default();
    if let Some(part) = &ends.message {
        ensure!(message.contains(part.as_str()), "the message lacks {part:?}");
    }
    for part in &ends.message_lacks {
        ensure!(!message.contains(part.as_str()), "the message has {part:?}");
    }
    let detail = end.error_detail.as_deref().unwrap_or_default();
    ensure!(message.len() <= ends.message_at_most.unwrap_or(4 << 10), "a message of {} bytes", message.len());
    ensure!(detail.len() <= ends.detail_at_most.unwrap_or(16 << 10), "a detail of {} bytes", detail.len());
    if let Some(output) = &ends.output {
        let found = end.output.as_ref().map_or("null", Json::as_str);
        let (found, wanted) = (serde_json::from_str(found)?, serde_json::from_str(output)?);
        let (found, wanted): (serde_json::Value, serde_json::Value) = (found, wanted);
        ensure!(found == wanted, "the output {found}, not {wanted}");
    }
    ensure!(!ends.log_dropped || dropped > 0, "no line was dropped");
    Ok(())
}

fn claim(job: GuestJob) -> Claim {
    Claim {
        run: job.run,
        job: job.id,
        kind: job.kind,
        queue: job.queue,
        executor_class: ExecutorClass::default(),
        args: job.args,
        priority: 100,
        tries: job.tries,
        last_chance: false,
        on_discard: false,
        limited: false,
        checkpoint: false,
        overrides: Overrides::default(),
        lineage: Lineage::default(),
        created_at: job.created_at,
        scheduled_at: job.scheduled_at,
        deadline_at: Timestamp::EPOCH,
        tags: job.tags,
        metadata: job.metadata,
    }
}

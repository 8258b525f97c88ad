//! What `flyball run` tells of an attempt: for people on standard error, for machines as one object.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use serde::Serialize;

use crate::job::{
    CheckpointEnd, ErrorClass, ExecutorClass, JobId, Json, Key, Kind, LogRecord, NewJob, Outcome, Queue,
    RunEnd, RunId, Settlement, Tag, Timestamp, visible,
};
use crate::quantity::Bytes;

/// An attempt that ended, under the column names of its run.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    id: RunId,
    job_id: JobId,
    kind: Kind,
    outcome: Outcome,
    error_class: Option<ErrorClass>,
    error_message: Option<String>,
    error_detail: Option<String>,
    output: Option<Json>,
    cost_micros: u64,
    component_digest: Option<String>,
    duration_ms: u64,
    #[serde(skip)]
    duration: Duration,
    fuel_used: u64,
    cpu_us: u64,
    peak_memory_bytes: u64,
    http_requests: u64,
    http_bytes: u64,
    log_bytes: u64,
    log_dropped: u64,
    /// Where a snoozed or failed job would have gone, and when.
    scheduled_at: Option<Timestamp>,
    follow_ups: Vec<FollowUp>,
    /// What would have been enqueued when these have ended.
    barrier: Option<FollowUp>,
    /// Of the checkpoint that the next attempt would have found.
    checkpoint_bytes: Option<usize>,
    log: Vec<LogRecord>,
}

/// A job that was asked for, and that nobody enqueued, under the column names of jobs: all that a worker can ask for.
#[derive(Debug, Serialize)]
struct FollowUp {
    kind: Kind,
    queue: Queue,
    args: Json,
    priority: u16,
    max_attempts: Option<u32>,
    timeout_ms: Option<u64>,
    fuel: Option<u64>,
    scheduled_at: Timestamp,
    unique_key: Option<Key>,
    unique_active_key: Option<Key>,
    executor_class: ExecutorClass,
    tags: Vec<Tag>,
}

impl Told {
    pub(super) fn new(settlement: Settlement) -> Self {
        let Settlement { run, job, kind, transition, end, follow_ups, barrier, checkpoint, log, .. } =
            settlement;
        let RunEnd {
            error_class, error_message, error_detail, output, cost_micros, component_digest, ..
        } = end;
        let meter = end.meter;
        Self {
            id: run,
            job_id: job,
            kind,
            // `settle` always says.
            outcome: end.outcome.unwrap_or(Outcome::Released),
            error_class,
            error_message,
            error_detail,
            output,
            cost_micros,
            component_digest,
            duration_ms: millis(end.duration),
            duration: end.duration,
            fuel_used: meter.fuel_used,
            cpu_us: meter.cpu_us,
            peak_memory_bytes: meter.peak_memory_bytes,
            http_requests: meter.http_requests,
            http_bytes: meter.http_bytes,
            log_bytes: meter.log_bytes,
            log_dropped: meter.log_dropped,
            scheduled_at: transition.due(),
            follow_ups: follow_ups.into_iter().map(FollowUp::from).collect(),
            barrier: barrier.map(|job| FollowUp::from(*job)),
            checkpoint_bytes: match checkpoint {
                CheckpointEnd::Stored(data) => Some(data.len()),
                CheckpointEnd::Left | CheckpointEnd::Dropped => None,
            },
            log,
        }
    }

    /// Whether the worker did what it was asked to, or said in time that it would not.
    pub(super) fn is_well(&self) -> bool {
        match self.outcome {
            Outcome::Success | Outcome::Snooze | Outcome::Cancelled => true,
            Outcome::Started | Outcome::Error | Outcome::Timeout | Outcome::Crashed | Outcome::Released => {
                false
            }
        }
    }

    /// The output to standard output, everything else to standard error. The log was told as it came.
    pub(super) fn print(&self) -> std::io::Result<()> {
        for FollowUp { kind, queue, args, .. } in &self.follow_ups {
            eprintln!(
                "follow-up, not enqueued: {kind} in queue {queue}, {} of args",
                Bytes(args.as_str().len() as u64)
            );
        }
        if let Some(FollowUp { kind, queue, .. }) = &self.barrier {
            eprintln!("behind a barrier, not enqueued: {kind} in queue {queue}");
        }
        if let Some(bytes) = self.checkpoint_bytes {
            eprintln!("a checkpoint for the next attempt, not kept: {}", Bytes(bytes as u64));
        }
        eprintln!("{}", self.line());
        if let Some(detail) = &self.error_detail {
            eprintln!("{detail}");
        }
        if let Some(output) = &self.output {
            let output = output.to_string();
            let shown = if std::io::stdout().is_terminal() { visible(&output) } else { output.into() };
            writeln!(std::io::stdout(), "{shown}")?;
        }
        Ok(())
    }

    fn line(&self) -> String {
        let Self { outcome, duration, fuel_used, peak_memory_bytes, cpu_us, .. } = self;
        let class = self.error_class.map(|class| format!(" ({class})")).unwrap_or_default();
        let message = self.error_message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let again = match (outcome, self.scheduled_at) {
            (Outcome::Snooze, Some(at)) => format!(", to be called again at {at}"),
            _ => String::new(),
        };
        let dropped = match self.log_dropped {
            0 => String::new(),
            lines => format!(", {lines} lines of log dropped"),
        };
        let cpu = Duration::from_micros(*cpu_us);
        let memory = peak_memory_bytes.div_ceil(1024);
        format!(
            "{outcome}{class}{message}{again}\nfuel {fuel_used}, time {duration:.1?} (cpu {cpu:.1?}), memory {memory} KiB{dropped}"
        )
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl From<NewJob> for FollowUp {
    fn from(job: NewJob) -> Self {
        let NewJob { kind, queue, args, priority, scheduled_at, executor_class, tags, .. } = job;
        let NewJob { overrides, unique_key, unique_active_key, .. } = job;
        Self {
            kind,
            queue,
            args,
            priority,
            max_attempts: overrides.max_attempts,
            timeout_ms: overrides.timeout.map(millis),
            fuel: overrides.fuel,
            scheduled_at,
            unique_key,
            unique_active_key,
            executor_class,
            tags,
        }
    }
}

//! How queues, batches and attempts fare.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::job::{ErrorClass, JobId, JobState, Kind, Outcome, Queue, RunId, Timestamp};

/// How the queues stood at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// All queues together.
    pub overall: QueueHealth,
    /// Each queue that has jobs which have not ended or were given up.
    pub queues: BTreeMap<Queue, QueueHealth>,
    /// When it was so.
    pub sampled_at: Timestamp,
}

/// How a queue stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueHealth {
    /// Jobs by state, each named: all states but those of jobs that ended well or were cancelled.
    pub states: BTreeMap<JobState, u64>,
    /// Those that could be claimed now.
    pub ready: u64,
    /// Those that are available and wait for something else than a slot.
    pub blocked: u64,
    /// Those that run.
    pub in_flight: u64,
    /// Those that are due later.
    pub scheduled_ahead: u64,
    /// How long the first of those that could be claimed has been due; absent if there is none.
    #[serde(rename = "oldest_ready_age_ms", serialize_with = "millis")]
    pub oldest_ready_age: Option<Duration>,
}

impl QueueHealth {
    /// The states that are counted.
    pub const STATES: [JobState; 6] = [
        JobState::Available,
        JobState::Scheduled,
        JobState::Running,
        JobState::Retryable,
        JobState::Paused,
        JobState::Discarded,
    ];

    /// Of a queue without jobs.
    pub fn empty() -> Self {
        Self { states: Self::STATES.iter().map(|state| (*state, 0)).collect(), ..Self::default() }
    }
}

/// How far the children of a job have come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchProgress {
    /// The children by state; every state is named.
    pub states: BTreeMap<JobState, u64>,
    /// How many there are.
    pub total: u64,
    /// How many have ended.
    pub terminal: u64,
    /// How many have not.
    pub pending: u64,
    /// How long ago the oldest was enqueued that has not ended; absent if all have.
    #[serde(rename = "oldest_pending_age_ms", serialize_with = "millis")]
    pub oldest_pending_age: Option<Duration>,
    /// When it was so.
    pub sampled_at: Timestamp,
}

/// Which failures to read.
#[derive(Clone, Debug)]
pub struct FailureFilter {
    /// Those since then.
    pub since: Timestamp,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// At most so many; 1…1000.
    pub limit: u32,
}

/// The last run of a job that was given up or waits for its next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are columns of jobs and job_runs")]
pub struct FailureRecord {
    pub job_id: JobId,
    pub kind: Kind,
    pub queue: Queue,
    /// Of the job.
    pub state: JobState,
    pub run_id: RunId,
    pub attempt: u32,
    pub outcome: Outcome,
    pub error_class: Option<ErrorClass>,
    pub error_message: Option<String>,
    pub finished_at: Timestamp,
}

/// A kind with jobs to claim that no living node has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindWaiting {
    /// The kind.
    pub kind: Kind,
    /// How many of its jobs could be claimed.
    pub available: u64,
    /// Since when the first of them has been due.
    pub oldest_due: Timestamp,
}

/// Which lines of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogPart {
    /// The first so many after a line, or from the beginning.
    After {
        /// The line's place.
        seq: Option<u32>,
        /// How many at most.
        limit: u32,
    },
    /// The last so many.
    Last(u32),
}

impl LogPart {
    /// All lines: an attempt is bounded in how many it may log.
    pub const ALL: Self = Self::After { seq: None, limit: u32::MAX };
}

#[expect(clippy::ref_option, reason = "serde hands over what the field is")]
fn millis<S: serde::Serializer>(age: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)).serialize(serializer)
}

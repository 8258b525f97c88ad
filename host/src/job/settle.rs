//! Settling: what the end of an attempt means for its job. Decided here, once, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use super::retry::{MAX_DELAY, MIN_DELAY};
use super::{
    Backoff, Claim, Completion, ErrorClass, Failure, JobId, JobState, Json, Kind, LogRecord, Meter, NewJob,
    Outcome, Queue, RetryPolicy, RunId, Sequel, Timestamp, Tries, Verdict,
};

/// A job that snoozed this often is taken for one that never ends.
const MAX_SNOOZES: u32 = 10_000;

/// The most bytes that a checkpoint may have.
pub const MAX_CHECKPOINT_BYTES: usize = 1 << 20;

/// Where a job goes. Each carries what it needs: there is no retry without a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// To `succeeded`.
    Succeed,
    /// To `scheduled`, because the worker asked.
    Snooze {
        /// When it is due.
        until: Timestamp,
    },
    /// To `retryable`.
    Retry {
        /// When it is due.
        at: Timestamp,
    },
    /// To `discarded`.
    Discard,
    /// To `cancelled`.
    Cancel,
    /// To `available`, at its old place in the line.
    Release,
    /// To `scheduled`, because the node was full.
    ReleaseUntil {
        /// When it is due.
        at: Timestamp,
    },
}

impl Transition {
    /// The state that the job goes to. If a cancel was asked meanwhile, the store makes of every
    /// state that is not terminal `cancelled`.
    pub const fn state(self) -> JobState {
        match self {
            Self::Succeed => JobState::Succeeded,
            Self::Snooze { .. } | Self::ReleaseUntil { .. } => JobState::Scheduled,
            Self::Retry { .. } => JobState::Retryable,
            Self::Discard => JobState::Discarded,
            Self::Cancel => JobState::Cancelled,
            Self::Release => JobState::Available,
        }
    }

    /// The new due time, where there is one.
    pub const fn due(self) -> Option<Timestamp> {
        match self {
            Self::Snooze { until: at } | Self::Retry { at } | Self::ReleaseUntil { at } => Some(at),
            Self::Succeed | Self::Discard | Self::Cancel | Self::Release => None,
        }
    }
}

/// What the store is to make durable about one attempt: fenced by `run`, carried out at most once.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The attempt, and the fence.
    pub run: RunId,
    /// The job.
    pub job: JobId,
    /// Its kind.
    pub kind: Kind,
    /// Its queue.
    pub queue: Queue,
    /// Where the job goes.
    pub transition: Transition,
    /// The job's counts after this attempt.
    pub tries: Tries,
    /// What the run's record says.
    pub end: RunEnd,
    /// Jobs to insert with it; empty unless it succeeds.
    pub follow_ups: Vec<NewJob>,
    /// What is enqueued when these have ended; `None` unless it succeeds.
    pub barrier: Option<Box<NewJob>>,
    /// What becomes of the job's checkpoint.
    pub checkpoint: CheckpointEnd,
    /// What the end of the job may enqueue.
    pub sequel: Sequel,
    /// The attempt's log.
    pub log: Vec<LogRecord>,
}

/// What becomes of a job's checkpoint when an attempt ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CheckpointEnd {
    /// What is stored stays, if anything is.
    #[default]
    Left,
    /// This is stored for the next attempt.
    Stored(Arc<[u8]>),
    /// The job has succeeded, and needs none any more.
    Dropped,
}

/// The end of a run's record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// How the attempt ended. `None` only before [`Claim::settle`].
    pub outcome: Option<Outcome>,
    /// What sort of failure.
    pub error_class: Option<ErrorClass>,
    /// What a human reads.
    pub error_message: Option<String>,
    /// More to read.
    pub error_detail: Option<String>,
    /// What the worker returned.
    pub output: Option<Json>,
    /// What the worker said that it cost.
    pub cost_micros: u64,
    /// How long it took.
    pub duration: Duration,
    /// The digest of the component that ran; `None` if none did.
    pub component_digest: Option<String>,
    /// What it used.
    pub meter: Meter,
}

/// What is known of an attempt beside its verdict.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// How long it took.
    pub duration: Duration,
    /// The digest of the component that ran.
    pub component_digest: Option<String>,
    /// What it used.
    pub meter: Meter,
    /// What it logged.
    pub log: Vec<LogRecord>,
    /// The checkpoint that it saved last, whether or not that is stored.
    pub checkpoint: Option<Arc<[u8]>>,
}

impl Claim {
    /// Decides what the verdict means for the job: the table of the lifecycle, in one pure function.
    pub fn settle(
        self,
        verdict: Verdict,
        evidence: Evidence,
        policy: &RetryPolicy,
        now: Timestamp,
    ) -> Settlement {
        let settled_row = Tries { crashes: 0, releases: 0, ..self.tries };
        match verdict {
            Verdict::Completed(completion) => self.complete(completion, settled_row, evidence),
            Verdict::Snoozed { delay } => self.snooze(delay, settled_row, evidence, policy, now),
            Verdict::Cancelled { reason } => {
                let error_message = Some(Failure::new(ErrorClass::Permanent, &reason).message().to_owned());
                let end = RunEnd { outcome: Some(Outcome::Cancelled), error_message, ..RunEnd::default() };
                self.ended(Transition::Cancel, settled_row, end, evidence)
            }
            Verdict::Stopped => {
                let end = RunEnd { outcome: Some(Outcome::Cancelled), ..RunEnd::default() };
                self.ended(Transition::Cancel, settled_row, end, evidence)
            }
            Verdict::Failed(failure) => self.fail(&failure, evidence, policy, now),
            Verdict::Released(why) => {
                let releases = self.tries.releases + u32::from(why.waits());
                let delay = clamp(policy.backoff.delay(releases, self.job, self.tries.attempt));
                let transition = if why.waits() {
                    Transition::ReleaseUntil { at: now.after(delay) }
                } else {
                    Transition::Release
                };
                let error_message = Some(why.reason().to_owned());
                let end = RunEnd { outcome: Some(Outcome::Released), error_message, ..RunEnd::default() };
                let tries = Tries { releases, ..self.tries };
                self.ended(transition, tries, end, evidence)
            }
        }
    }

    fn complete(self, completion: Completion, tries: Tries, evidence: Evidence) -> Settlement {
        let Completion { output, cost_micros, mut follow_ups, mut barrier } = completion;
        if let Some(barrier) = &mut barrier {
            barrier.lineage.continues = Some(self.run);
            follow_ups.iter_mut().for_each(|job| job.lineage.awaited = true);
        }
        let end = RunEnd { outcome: Some(Outcome::Success), output, cost_micros, ..RunEnd::default() };
        let checkpoint = if self.checkpoint || evidence.checkpoint.is_some() {
            CheckpointEnd::Dropped
        } else {
            CheckpointEnd::Left
        };
        let ended = self.ended(Transition::Succeed, tries, end, evidence);
        Settlement { follow_ups, barrier, checkpoint, ..ended }
    }

    fn snooze(
        self,
        delay: Duration,
        tries: Tries,
        evidence: Evidence,
        policy: &RetryPolicy,
        now: Timestamp,
    ) -> Settlement {
        if tries.snoozes >= MAX_SNOOZES {
            let failure =
                Failure::new(ErrorClass::Permanent, "the job snoozed 10000 times; it is taken for endless");
            return self.fail(&failure, evidence, policy, now);
        }
        let tries = Tries { snoozes: tries.snoozes + 1, ..tries };
        let end = RunEnd { outcome: Some(Outcome::Snooze), ..RunEnd::default() };
        self.ended(Transition::Snooze { until: now.after(clamp(delay)) }, tries, end, evidence)
    }

    fn fail(self, failure: &Failure, evidence: Evidence, policy: &RetryPolicy, now: Timestamp) -> Settlement {
        let failures = self.tries.failures.saturating_add(1);
        let tries = Tries { failures, crashes: 0, releases: 0, ..self.tries };
        let transition = if policy.retries(failure.class()) && failures < policy.max_attempts {
            let backoff = || policy.backoff.delay(failures, self.job, self.tries.attempt);
            Transition::Retry { at: now.after(clamp(failure.asked_delay().unwrap_or_else(backoff))) }
        } else {
            Transition::Discard
        };
        let end = failed(failure);
        self.ended(transition, tries, end, evidence)
    }

    fn ended(self, transition: Transition, tries: Tries, end: RunEnd, evidence: Evidence) -> Settlement {
        let Evidence { duration, component_digest, meter, log, checkpoint } = evidence;
        let end = RunEnd { duration, component_digest, meter, ..end };
        let Self { run, job, kind, queue, lineage, on_discard, limited, .. } = self;
        Settlement {
            run,
            job,
            kind,
            queue,
            transition,
            tries,
            end,
            follow_ups: Vec::new(),
            barrier: None,
            checkpoint: checkpoint.map_or(CheckpointEnd::Left, CheckpointEnd::Stored),
            sequel: Sequel { awaited: lineage.awaited, on_discard, limited },
            log,
        }
    }
}

impl Settlement {
    /// The settlement of a job that was claimed and can't be read: it never ran, and never will.
    pub fn unreadable(run: RunId, job: JobId, kind: Kind, queue: Queue, tries: Tries, why: &str) -> Self {
        let end = failed(&Failure::new(ErrorClass::Validation, why));
        let tries = Tries { failures: tries.failures.saturating_add(1), crashes: 0, releases: 0, ..tries };
        Self {
            run,
            job,
            kind,
            queue,
            transition: Transition::Discard,
            tries,
            end,
            follow_ups: Vec::new(),
            barrier: None,
            checkpoint: CheckpointEnd::Left,
            // Whatever hangs on it is looked for.
            sequel: Sequel { awaited: true, on_discard: true, limited: true },
            log: Vec::new(),
        }
    }

    /// Whether it moves its job and nothing else: nothing is enqueued by it, and no checkpoint kept.
    pub fn stands_alone(&self) -> bool {
        let Sequel { awaited, on_discard, limited } = self.sequel;
        let discarded = self.transition.state() == JobState::Discarded;
        // Whatever is decided here, a cancel that was asked meanwhile may end it.
        self.follow_ups.is_empty()
            && self.barrier.is_none()
            && self.checkpoint == CheckpointEnd::Left
            && !awaited
            && !limited
            && !(on_discard && discarded)
    }

    /// The settlement without what may be large: jobs, log and checkpoint.
    #[must_use]
    pub fn bare(&self) -> Self {
        let Self { run, job, transition, tries, sequel, .. } = *self;
        let (kind, queue, end) = (self.kind.clone(), self.queue.clone(), self.end.clone());
        let (follow_ups, barrier, log) = (Vec::new(), None, Vec::new());
        let checkpoint = CheckpointEnd::Left;
        Self { run, job, kind, queue, transition, tries, end, follow_ups, barrier, checkpoint, sequel, log }
    }

    /// The settlement of an attempt whose outcome the store can't keep as it was returned: a permanent failure that
    /// says why, so that the outcome is never lost and the work not repeated for ever.
    #[must_use]
    pub fn unstorable(self, why: &str) -> Self {
        let failure = Failure::new(ErrorClass::Permanent, why);
        let RunEnd { duration, component_digest, meter, cost_micros, .. } = self.end;
        let end = RunEnd { duration, component_digest, meter, cost_micros, ..failed(&failure) };
        let tries = Tries { failures: self.tries.failures.saturating_add(1), ..self.tries };
        Self {
            transition: Transition::Discard,
            tries,
            end,
            follow_ups: Vec::new(),
            barrier: None,
            checkpoint: CheckpointEnd::Left,
            log: Vec::new(),
            ..self
        }
    }
}

fn failed(failure: &Failure) -> RunEnd {
    RunEnd {
        outcome: Some(failure.outcome()),
        error_class: Some(failure.class()),
        error_message: Some(failure.message().to_owned()),
        error_detail: failure.detail().map(str::to_owned),
        ..RunEnd::default()
    }
}

fn clamp(delay: Duration) -> Duration {
    delay.clamp(MIN_DELAY, MAX_DELAY)
}

/// A running job whose node was lost, as a sweep or a start finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The job.
    pub job: JobId,
    /// The attempt that was lost.
    pub run: RunId,
    /// The job's counts, this loss not yet counted.
    pub tries: Tries,
    /// Whether it was running alone, because this loss was to be its last.
    pub last_chance: bool,
    /// Whether an operator had asked to cancel it.
    pub cancel_requested: bool,
}

/// How losses are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossPolicy {
    /// Losses in a row after which a job that ran alone is discarded; at least 1.
    pub max_crashes: u32,
    /// Delays after a loss. Not clamped: the operator sets them.
    pub backoff: Backoff,
}

impl Default for LossPolicy {
    fn default() -> Self {
        Self { max_crashes: 3, backoff: Backoff::default() }
    }
}

/// What a loss means for the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossSettlement {
    /// The job.
    pub job: JobId,
    /// The attempt that was lost.
    pub run: RunId,
    /// `Retry`, `Discard` or `Cancel`.
    pub transition: Transition,
    /// Losses in a row, this one counted.
    pub crashes: u32,
    /// Whether the job must run alone from now on: its next loss would discard it.
    pub last_chance: bool,
}

impl Loss {
    /// Decides what the loss means. Nobody's failure is charged, and only a job that was alone is ever discarded.
    pub fn settle(self, policy: &LossPolicy, now: Timestamp) -> LossSettlement {
        let crashes = self.tries.crashes.saturating_add(1);
        let (transition, last_chance) = if self.cancel_requested {
            // One that has ended has no chance to come.
            (Transition::Cancel, self.last_chance)
        } else if self.last_chance && crashes >= policy.max_crashes {
            (Transition::Discard, self.last_chance)
        } else {
            let at = now.after(policy.backoff.delay(crashes, self.job, self.tries.attempt));
            (Transition::Retry { at }, crashes.saturating_add(1) >= policy.max_crashes)
        };
        LossSettlement { job: self.job, run: self.run, transition, crashes, last_chance }
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;

//! What a schedule is, as it is remembered: the definition as it was written, and how far it has come.

use std::time::Duration;

use serde::Serialize;

use super::{Schedule, ScheduleError, Timing, zone};
use crate::job::{
    Backoff, ExecutorClass, InsertOpts, JobId, Json, Kind, Overrides, Queue, Slug, Tag, Timestamp, words,
};
use crate::quantity::Span;

words! {
    /// Who made a schedule, or put it out of service.
    Origin, "origin" {
        /// The configuration of a node.
        Config = "config",
        /// An operator, by the command line or the library.
        Operator = "operator",
    }
}

words! {
    /// What is done with a bucket while the last job has not ended.
    Overlap, "overlap" {
        /// It fires all the same.
        Allow = "allow",
        /// It is passed over.
        Skip = "skip",
    }
}

/// A row of `schedules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns")]
pub struct ScheduleRecord {
    pub slug: Slug,
    pub kind: Kind,
    pub args: Json,
    pub queue: Queue,
    pub priority: u16,
    pub executor_class: ExecutorClass,
    pub max_attempts: Option<u32>,
    pub timeout_ms: Option<u64>,
    pub fuel: Option<u64>,
    pub backoff_base_ms: Option<u64>,
    pub backoff_cap_ms: Option<u64>,
    pub tags: Vec<Tag>,
    pub metadata: Json,
    pub cron: Option<String>,
    pub every_ms: Option<u64>,
    pub timezone: String,
    pub backfill_cap: u32,
    pub overlap: Overlap,
    /// False if `disabled_by` says who put it out of service.
    pub active: bool,
    pub disabled_by: Option<Origin>,
    pub origin: Origin,
    /// The cursor: the next bucket. None, if there is none in this century.
    pub next_at: Option<Timestamp>,
    pub last_job_id: Option<JobId>,
    pub last_enqueued_at: Option<Timestamp>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ScheduleRecord {
    /// The definition that it holds. Another program may have written it, or a binary that knows more zones.
    ///
    /// # Errors
    /// [`ScheduleError`] says what of it can't be read.
    pub fn definition(&self) -> Result<Schedule, ScheduleError> {
        let mut job = InsertOpts::new(Kind::new(self.kind.as_str())?, self.args.as_str());
        job.queue = Queue::new(self.queue.as_str())?;
        job.priority = self.priority;
        job.executor_class = ExecutorClass::new(self.executor_class.as_str())?;
        let backoff = self.backoff_base_ms.zip(self.backoff_cap_ms);
        job.overrides = Overrides {
            max_attempts: self.max_attempts,
            timeout: self.timeout_ms.map(Duration::from_millis),
            fuel: self.fuel,
            backoff: backoff.map(|(base, cap)| Backoff {
                base: Duration::from_millis(base),
                cap: Duration::from_millis(cap),
            }),
        };
        job.tags = self.tags.iter().map(|tag| Tag::new(tag.as_str())).collect::<Result<_, _>>()?;
        job.metadata = Some(self.metadata.as_str().to_owned());
        let slug = Slug::new(self.slug.as_str())?;
        let schedule = Schedule {
            zone: zone(&self.timezone)?,
            backfill_cap: self.backfill_cap,
            overlap: self.overlap,
            ..Schedule::new(slug, self.timing()?, job)
        };
        Ok(schedule)
    }

    /// When it fires, as people write it.
    pub fn expression(&self) -> String {
        match (&self.cron, self.every_ms) {
            (Some(cron), _) => cron.clone(),
            (None, every) => format!("@every {}", Span(Duration::from_millis(every.unwrap_or_default()))),
        }
    }

    fn timing(&self) -> Result<Timing, ScheduleError> {
        Ok(match &self.cron {
            Some(cron) => cron.parse()?,
            None => Timing::every(Duration::from_millis(self.every_ms.unwrap_or_default()))?,
        })
    }

    /// The row that an operator's switch makes of it: the cursor of one that is enabled is after now.
    ///
    /// # Errors
    /// [`ScheduleError`] when it can't be read: then it can't be enabled.
    pub fn switched(&self, disabled_by: Option<Origin>, now: Timestamp) -> Result<Self, ScheduleError> {
        let active = disabled_by.is_none();
        if active == self.active && disabled_by == self.disabled_by {
            return Ok(self.clone());
        }
        let mut record = Self { active, disabled_by, updated_at: now, ..self.clone() };
        if active {
            let schedule = self.definition()?;
            record.next_at = match self.next_at {
                Some(cursor) => schedule.timing.next_after(now, cursor, schedule.zone),
                None => schedule.timing.first_after(now, schedule.zone),
            };
            record.last_error = None;
        }
        Ok(record)
    }

    /// Takes over how far the row has come that it had. What did not change is not said to have been updated.
    pub(super) fn keep(&mut self, had: &Self) {
        let timing = |record: &Self| (record.cron.clone(), record.every_ms, record.timezone.clone());
        self.created_at = had.created_at;
        self.last_job_id = had.last_job_id;
        self.last_enqueued_at = had.last_enqueued_at;
        if timing(self) == timing(had) && (had.active || !self.active) {
            self.next_at = had.next_at;
        }
        let same = Self { updated_at: had.updated_at, last_error: had.last_error.clone(), ..self.clone() };
        if same == *had {
            *self = same;
        }
    }
}

//! What a schedule is, as somebody defines it: a job, and when it is enqueued.

use chrono_tz::Tz;

use super::{Origin, Overlap, ScheduleRecord, Timing, TimingError};
use crate::job::{AdmitError, InsertOpts, JobId, NameError, Slug, Timestamp, When, cut};

/// The most buckets that a schedule makes up for, however many it missed.
pub const MAX_BACKFILL: u32 = 1000;

/// A definition of a schedule. Begin with [`Schedule::new`] and set what differs.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its name.
    pub slug: Slug,
    /// The job that each bucket enqueues. When it is due and its unique key are the schedule's to say.
    pub job: InsertOpts,
    /// When it fires.
    pub timing: Timing,
    /// Where the clock hangs that a cron expression means.
    pub zone: Tz,
    /// How many buckets that were missed still fire: the most recent ones.
    pub backfill_cap: u32,
    /// What is done while the last job has not ended.
    pub overlap: Overlap,
}

/// A schedule that can't be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It says no time.
    #[error(transparent)]
    Timing(#[from] TimingError),
    /// The zone is not known to this program.
    #[error("{0:?} is no time zone that this program knows: write it as Europe/Berlin, or UTC")]
    Zone(String),
    /// Its job can't be taken.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// Something is set that a schedule sets for itself, or is out of its range.
    #[error("{0}")]
    Refused(&'static str),
}

/// The zone of this name in the IANA database.
///
/// # Errors
/// [`ScheduleError::Zone`] shows what was given.
pub fn zone(name: &str) -> Result<Tz, ScheduleError> {
    name.parse().map_err(|_| ScheduleError::Zone(cut(name, 80).to_owned()))
}

impl Schedule {
    /// Enqueues the job at these times of UTC, makes up for one bucket that was missed, and does not wait for the last
    /// job.
    pub fn new(slug: Slug, timing: Timing, job: InsertOpts) -> Self {
        Self { slug, job, timing, zone: Tz::UTC, backfill_cap: 1, overlap: Overlap::Allow }
    }

    /// Whether it can be kept and its job be enqueued.
    ///
    /// # Errors
    /// [`ScheduleError`] says what can't.
    pub fn check(&self) -> Result<(), ScheduleError> {
        self.record(None, Origin::Operator, Timestamp::EPOCH).map(drop)
    }

    /// The row that it becomes, given the one it had: the cursor stays unless the timing changed or it was out of
    /// service, and what an operator disabled stays disabled.
    ///
    /// # Errors
    /// [`ScheduleError`] says what can't be kept.
    pub fn record(
        &self,
        had: Option<&ScheduleRecord>,
        origin: Origin,
        now: Timestamp,
    ) -> Result<ScheduleRecord, ScheduleError> {
        self.check_own()?;
        let job = self.job.clone().admit(JobId::mint(now), now)?;
        let overrides = job.overrides;
        let millis = |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (cron, every_ms) = match &self.timing {
            Timing::Cron(_) => (Some(self.timing.to_string()), None),
            Timing::Every(interval) => (None, Some(millis(*interval))),
        };
        let disabled_by = had.and_then(|had| had.disabled_by).filter(|by| *by == Origin::Operator);
        let mut record = ScheduleRecord {
            slug: self.slug.clone(),
            kind: job.kind,
            args: job.args,
            queue: job.queue,
            priority: job.priority,
            executor_class: job.executor_class,
            max_attempts: overrides.max_attempts,
            timeout_ms: overrides.timeout.map(millis),
            fuel: overrides.fuel,
            backoff_base_ms: overrides.backoff.map(|backoff| millis(backoff.base)),
            backoff_cap_ms: overrides.backoff.map(|backoff| millis(backoff.cap)),
            tags: job.tags,
            metadata: job.metadata,
            cron,
            every_ms,
            timezone: self.zone.name().to_owned(),
            backfill_cap: self.backfill_cap,
            overlap: self.overlap,
            active: disabled_by.is_none(),
            disabled_by,
            origin,
            next_at: self.timing.first_after(now, self.zone),
            last_job_id: None,
            last_enqueued_at: None,
            last_error: None,
            created_at: now,
            updated_at: now,
        };
        if let Some(had) = had {
            record.keep(had);
        }
        Ok(record)
    }

    fn check_own(&self) -> Result<(), ScheduleError> {
        let keyed = self.job.unique_key.is_some() || self.job.unique_active_key.is_some();
        let checks = [
            (!keyed, "a schedule gives its jobs unique keys of its own: leave them out"),
            (self.job.when == When::Now, "a schedule says itself when its jobs are due: leave it out"),
            (self.backfill_cap <= MAX_BACKFILL, "backfill_cap must be 0 to 1000"),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(ScheduleError::Refused(why)),
            None => Ok(()),
        }
    }
}

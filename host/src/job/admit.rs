//! Admission: from what a caller asks for to a job that every database can keep.

use std::time::Duration;

use super::json::{MAX_ARGS_BYTES, MAX_METADATA_BYTES};
use super::{
    ExecutorClass, JobId, JobState, Json, JsonError, Key, Kind, Lineage, NameError, OnDiscard, Overrides,
    Priority, Queue, Slug, Tag, Timestamp,
};

/// The most tags that a job may have.
const MAX_TAGS: usize = 32;
/// The last priority; lower runs first.
const MAX_PRIORITY: u16 = Priority::LAST;
/// The longest and shortest time-out that a job may ask for.
const TIMEOUTS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(24 * 3600);

/// When a job is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// At once.
    #[default]
    Now,
    /// At an instant; one that has passed means at once.
    At(Timestamp),
    /// After a delay.
    In(Duration),
}

/// What a caller asks for. Begin with [`InsertOpts::new`] and set what differs.
#[derive(Clone, Debug)]
pub struct InsertOpts {
    /// Which worker is to run it.
    pub kind: Kind,
    /// What the worker is given: JSON text.
    pub args: String,
    /// Its line.
    pub queue: Queue,
    /// 0…32767, lower runs first.
    pub priority: u16,
    /// When it is due.
    pub when: When,
    /// Collides with any job that still has a row.
    pub unique_key: Option<Key>,
    /// Collides with any job that has not ended.
    pub unique_active_key: Option<Key>,
    /// Budget and retries, where they differ from the kind's.
    pub overrides: Overrides,
    /// A label that routes it to nodes.
    pub executor_class: ExecutorClass,
    /// Words that it is found by, at most 32.
    pub tags: Vec<Tag>,
    /// A JSON object of at most 8 KiB: `request_id`, `traceparent` and free keys.
    pub metadata: Option<String>,
    /// The line that it waits in, under the limit by key that it is subject to; without one, the limit takes the key from
    /// the args.
    pub limit_key: Option<Key>,
    /// What is enqueued if it is discarded.
    pub on_discard: Option<OnDiscard>,
    /// Its place among its relatives: [`Lineage::child_of`] makes it the child of a job.
    pub lineage: Lineage,
}

/// Why a job was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmitError {
    /// The args can't be kept.
    #[error("args: {0}")]
    Args(JsonError),
    /// The metadata can't be kept.
    #[error("metadata: {0}")]
    Metadata(JsonError),
    /// A name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The args do not match the schema that the kind's worker published.
    #[error("{0}")]
    Schema(String),
    /// The args of what is enqueued if the job is discarded can't be kept.
    #[error("the args of on_discard: {0}")]
    OnDiscard(JsonError),
    /// A number is out of its range.
    #[error("{what} must be {range}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What it may be.
        range: &'static str,
    },
}

/// A job that is ready to be inserted: checked, with its id and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Minted by the caller: a repeated insert is the same job.
    pub id: JobId,
    /// Which worker is to run it.
    pub kind: Kind,
    /// Its line.
    pub queue: Queue,
    /// What the worker is given.
    pub args: Json,
    /// Lower runs first.
    pub priority: u16,
    /// `available` or `scheduled`.
    pub state: JobState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it is due.
    pub scheduled_at: Timestamp,
    /// Budget and retries, where they differ from the kind's.
    pub overrides: Overrides,
    /// Collides with any job that still has a row.
    pub unique_key: Option<Key>,
    /// Collides with any job that has not ended.
    pub unique_active_key: Option<Key>,
    /// Its place among its relatives.
    pub lineage: Lineage,
    /// The schedule that enqueues it, if one does.
    pub schedule_slug: Option<Slug>,
    /// A label that routes it to nodes.
    pub executor_class: ExecutorClass,
    /// Words that it is found by.
    pub tags: Vec<Tag>,
    /// A JSON object.
    pub metadata: Json,
    /// The line that it waits in, if it names one itself.
    pub limit_key: Option<Key>,
    /// What is enqueued if it is discarded, as it is kept.
    pub on_discard: Option<Json>,
}

impl InsertOpts {
    /// A job of the kind with the args (JSON text), in the queue `default`, due at once, with priority 100.
    pub fn new(kind: Kind, args: impl Into<String>) -> Self {
        Self {
            kind,
            args: args.into(),
            queue: Queue::default(),
            priority: 100,
            when: When::Now,
            unique_key: None,
            unique_active_key: None,
            overrides: Overrides::default(),
            executor_class: ExecutorClass::default(),
            tags: Vec::new(),
            metadata: None,
            limit_key: None,
            on_discard: None,
            lineage: Lineage::default(),
        }
    }

    /// Checks everything and fixes the times.
    ///
    /// # Errors
    /// [`AdmitError`] names the field and says what it may be.
    pub fn admit(self, id: JobId, now: Timestamp) -> Result<NewJob, AdmitError> {
        let args = Json::parse(&self.args, MAX_ARGS_BYTES).map_err(AdmitError::Args)?;
        let metadata = admit_metadata(self.metadata.as_deref())?;
        let on_discard = self.on_discard.as_ref().map(OnDiscard::admit).transpose()?;
        check_ranges(&self)?;
        let scheduled_at = match self.when {
            When::Now => now,
            When::At(at) => at,
            When::In(delay) => now.after(delay),
        };
        Ok(NewJob {
            id,
            kind: self.kind,
            queue: self.queue,
            args,
            priority: self.priority,
            state: if scheduled_at <= now { JobState::Available } else { JobState::Scheduled },
            created_at: now,
            scheduled_at,
            overrides: self.overrides,
            unique_key: self.unique_key,
            unique_active_key: self.unique_active_key,
            lineage: self.lineage,
            schedule_slug: None,
            executor_class: self.executor_class,
            tags: self.tags,
            metadata,
            limit_key: self.limit_key,
            on_discard,
        })
    }
}

fn admit_metadata(text: Option<&str>) -> Result<Json, AdmitError> {
    let Some(text) = text else { return Ok(Json::empty_object()) };
    let metadata = Json::parse(text, MAX_METADATA_BYTES).map_err(AdmitError::Metadata)?;
    if metadata.as_str().starts_with('{') {
        return Ok(metadata);
    }
    Err(AdmitError::Metadata(JsonError::Refused("must be a JSON object".into())))
}

fn check_ranges(opts: &InsertOpts) -> Result<(), AdmitError> {
    let Overrides { max_attempts, timeout, fuel, backoff } = opts.overrides;
    let checks = [
        (opts.priority <= MAX_PRIORITY, "priority", "0 to 32767"),
        (opts.tags.len() <= MAX_TAGS, "the number of tags", "at most 32"),
        (max_attempts.is_none_or(|n| (1..=MAX_PRIORITY.into()).contains(&n)), "max_attempts", "1 to 32767"),
        (timeout.is_none_or(|t| TIMEOUTS.contains(&t)), "timeout", "1 ms to 24 h"),
        (fuel.is_none_or(|f| (1..=i64::MAX.unsigned_abs()).contains(&f)), "fuel", "1 to 2^63 - 1"),
        (
            backoff.is_none_or(|b| {
                b.base >= Duration::from_millis(1) && b.cap <= super::MAX_DELAY && b.base <= b.cap
            }),
            "backoff",
            "1 ms to 30 days, the base at most the cap",
        ),
    ];
    match checks.iter().find(|(holds, ..)| !holds) {
        Some(&(_, what, range)) => Err(AdmitError::Range { what, range }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn admit(change: impl FnOnce(&mut InsertOpts)) -> Result<NewJob, AdmitError> {
        let mut opts = InsertOpts::new(Kind::new("word-count").expect("valid"), r#"{"text": "a b"}"#);
        change(&mut opts);
        opts.admit(JobId::mint(NOW), NOW)
    }

    #[test]
    fn a_job_due_now_is_available_and_one_for_later_is_scheduled() {
        assert_eq!(admit(|_| ()).expect("admitted").state, JobState::Available);
        let later = admit(|opts| opts.when = When::In(Duration::from_secs(5))).expect("admitted");
        assert_eq!((later.state, later.scheduled_at.micros()), (JobState::Scheduled, 1_005_000_000));
        let past = admit(|opts| opts.when = When::At(Timestamp::EPOCH)).expect("admitted");
        assert_eq!((past.state, past.scheduled_at), (JobState::Available, Timestamp::EPOCH));
    }

    #[test]
    fn what_is_out_of_its_range_is_refused_by_name() {
        let day = Duration::from_secs(24 * 3600);
        type Change = fn(&mut InsertOpts);
        let cases: [(Change, &str); 7] = [
            (|o| o.args = "{".into(), "args: EOF while parsing an object at line 1 column 1"),
            (|o| o.metadata = Some("[]".into()), "metadata: must be a JSON object"),
            (
                |o| {
                    o.on_discard = Some(OnDiscard { kind: Kind::new("x").expect("valid"), args: "[1".into() })
                },
                "the args of on_discard: EOF while parsing a list at line 1 column 2",
            ),
            (|o| o.priority = 40_000, "priority must be 0 to 32767"),
            (|o| o.tags = vec![Tag::new("x").expect("valid"); 33], "the number of tags must be at most 32"),
            (|o| o.overrides.max_attempts = Some(0), "max_attempts must be 1 to 32767"),
            (|o| o.overrides.fuel = Some(u64::MAX), "fuel must be 1 to 2^63 - 1"),
        ];
        for (change, message) in cases {
            assert_eq!(admit(change).expect_err(message).to_string(), message);
        }
        assert!(admit(|o| o.overrides.timeout = Some(day * 2)).is_err());
    }
}

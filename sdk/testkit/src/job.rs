//! The job that a worker is tried with.

use std::time::Duration;

use flyball::job::{
    ChildRecord, Claim, ErrorClass, ExecutorClass, JobId, JobState, Json, Kind, Lineage, MAX_ARGS_BYTES,
    MAX_METADATA_BYTES, Overrides, Queue, RunId, Tag, Timestamp, Tries,
};
use flyball::sandbox::StopCause;
use serde::Serialize;

use crate::{Http, TestKitError};

/// A job, as it would be claimed. Begin with [`Job::new`] and say what differs.
#[derive(Clone)]
pub struct Job {
    args: Result<String, String>,
    tries: Tries,
    at: Option<Timestamp>,
    queue: Queue,
    tags: Vec<Tag>,
    metadata: Option<String>,
    parent: Option<JobId>,
    overrides: Overrides,
    pub(crate) http: Option<Http>,
    pub(crate) stop: Option<StopCause>,
    pub(crate) checkpoint: Option<Vec<u8>>,
    pub(crate) children: Vec<ChildRecord>,
}

impl Job {
    /// The first attempt at a job with these args, in the queue `default`, due and claimed now.
    pub fn new(args: &impl Serialize) -> Self {
        let args = serde_json::to_string(args).map_err(|error| error.to_string());
        Self::of(args)
    }

    /// As [`Job::new`], with args as JSON text, which a node would refuse if it is none.
    pub fn with_text(args: &str) -> Self {
        Self::of(Ok(args.to_owned()))
    }

    fn of(args: Result<String, String>) -> Self {
        Self {
            args,
            tries: Tries { attempt: 1, ..Tries::default() },
            at: None,
            queue: Queue::default(),
            tags: Vec::new(),
            metadata: None,
            parent: None,
            overrides: Overrides::default(),
            http: None,
            stop: None,
            checkpoint: None,
            children: Vec::new(),
        }
    }

    /// The number of the attempt, from 1.
    #[must_use]
    pub const fn attempt(mut self, attempt: u32) -> Self {
        self.tries.attempt = attempt;
        self
    }

    /// How many attempts failed before.
    #[must_use]
    pub const fn failures(mut self, failures: u32) -> Self {
        self.tries.failures = failures;
        self
    }

    /// When the job was enqueued and claimed, as RFC 3339: what the clock of the worker begins with.
    ///
    /// # Errors
    /// [`TestKitError::Time`] if it is no time.
    pub fn at(mut self, at: &str) -> Result<Self, TestKitError> {
        self.at = Some(Timestamp::parse_rfc3339(at).ok_or_else(|| TestKitError::Time(at.to_owned()))?);
        Ok(self)
    }

    /// The queue that it waited in.
    ///
    /// # Errors
    /// [`TestKitError::Name`] if that is no name of a queue.
    pub fn queue(mut self, queue: &str) -> Result<Self, TestKitError> {
        self.queue = Queue::new(queue)?;
        Ok(self)
    }

    /// One more tag.
    ///
    /// # Errors
    /// [`TestKitError::Name`] if that is no tag.
    pub fn tag(mut self, tag: &str) -> Result<Self, TestKitError> {
        self.tags.push(Tag::new(tag)?);
        Ok(self)
    }

    /// Its metadata, a JSON object with `request_id`, `traceparent` and free keys.
    #[must_use]
    pub fn metadata(mut self, metadata: &serde_json::Map<String, serde_json::Value>) -> Self {
        self.metadata = serde_json::to_string(metadata).ok();
        self
    }

    /// The job that it is a child of.
    #[must_use]
    pub const fn parent(mut self, parent: JobId) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Wall time that the attempt may take, instead of the worker's own.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.overrides.timeout = Some(timeout);
        self
    }

    /// Fuel that it may use, instead of the worker's own.
    #[must_use]
    pub const fn fuel(mut self, fuel: u64) -> Self {
        self.overrides.fuel = Some(fuel);
        self
    }

    /// Failed attempts before a node gives the job up, instead of the worker's own.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.overrides.max_attempts = Some(attempts);
        self
    }

    /// Where its HTTP requests go.
    #[must_use]
    pub fn http(mut self, http: Http) -> Self {
        self.http = Some(http);
        self
    }

    /// The attempt is asked to stop from its beginning, as a node would: with some grace, and then for good.
    #[must_use]
    pub const fn stopping(mut self, cause: StopCause) -> Self {
        self.stop = Some(cause);
        self
    }

    /// What an earlier attempt left: bytes, which are JSON if the worker's SDK saved a typed checkpoint.
    #[must_use]
    pub fn checkpoint(mut self, data: impl Into<Vec<u8>>) -> Self {
        self.checkpoint = Some(data.into());
        self
    }

    /// One more of the jobs that it continues, as they are after a barrier: one that succeeded, with its output.
    ///
    /// # Errors
    /// [`TestKitError::Name`] if the kind is none, [`TestKitError::Json`] if the output can't be that of a job.
    pub fn child(mut self, kind: &str, output: &impl Serialize) -> Result<Self, TestKitError> {
        let output = Json::from_value(output, MAX_ARGS_BYTES)
            .map_err(|source| TestKitError::Json { what: "the output of a child", source })?;
        self.children.push(ChildRecord { output: Some(output), ..child(kind, JobState::Succeeded)? });
        Ok(self)
    }

    /// As [`Job::child`], one that was discarded, with why.
    ///
    /// # Errors
    /// [`TestKitError::Name`] if the kind is none.
    pub fn discarded_child(
        mut self,
        kind: &str,
        class: ErrorClass,
        message: &str,
    ) -> Result<Self, TestKitError> {
        let (error_class, error_message) = (Some(class), Some(message.to_owned()));
        self.children.push(ChildRecord { error_class, error_message, ..child(kind, JobState::Discarded)? });
        Ok(self)
    }

    /// When it is claimed, if that was said.
    pub(crate) const fn begins(&self) -> Option<Timestamp> {
        self.at
    }

    /// The claim of such a job of a kind.
    pub(crate) fn claim(&self, kind: &Kind, now: Timestamp) -> Result<Claim, TestKitError> {
        let json = |what, text: &str, most| {
            Json::parse(text, most).map_err(|source| TestKitError::Json { what, source })
        };
        let args = self.args.as_ref().map_err(|error| TestKitError::Json {
            what: "args",
            source: flyball::job::JsonError::Refused(error.clone()),
        })?;
        let metadata = self.metadata.as_deref().unwrap_or("{}");
        Ok(Claim {
            run: RunId::mint(now),
            job: JobId::mint(now),
            kind: kind.clone(),
            queue: self.queue.clone(),
            executor_class: ExecutorClass::default(),
            args: json("args", args, MAX_ARGS_BYTES)?,
            priority: 100,
            tries: self.tries,
            last_chance: false,
            on_discard: false,
            limited: false,
            checkpoint: false,
            overrides: self.overrides,
            lineage: self.parent.map(Lineage::child_of).unwrap_or_default(),
            created_at: now,
            scheduled_at: now,
            deadline_at: now.after(Duration::from_secs(1)),
            tags: self.tags.clone(),
            metadata: json("metadata", metadata, MAX_METADATA_BYTES)?,
        })
    }
}

/// A child that ended with its first attempt.
fn child(kind: &str, state: JobState) -> Result<ChildRecord, TestKitError> {
    Ok(ChildRecord {
        id: JobId::mint(Timestamp::EPOCH),
        kind: Kind::new(kind)?,
        state,
        attempt: 1,
        output: None,
        error_class: None,
        error_message: None,
    })
}

//! One attempt, as the sandbox is asked to run it and as it answers.

use std::sync::Arc;

use super::{Ports, Stop};
use crate::job::{Budget, Claim, Evidence, JobId, Json, Kind, Queue, RunId, Tag, Timestamp, Tries, Verdict};

/// An attempt to run.
pub struct Attempt {
    /// What the worker is told about its job.
    pub job: GuestJob,
    /// What it may use.
    pub budget: Budget,
    /// How it is told to stop.
    pub stop: Stop,
    /// Where its wishes go.
    pub ports: Arc<dyn Ports>,
}

/// A job as its worker sees it.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the record `job` of the worker contract")]
pub struct GuestJob {
    pub id: JobId,
    pub run: RunId,
    pub kind: Kind,
    pub queue: Queue,
    pub args: Json,
    pub tries: Tries,
    pub max_attempts: u32,
    pub parent: Option<JobId>,
    pub created_at: Timestamp,
    pub scheduled_at: Timestamp,
    /// When the attempt will be ended, on the wall clock.
    pub deadline: Timestamp,
    pub tags: Vec<Tag>,
    pub metadata: Json,
}

impl GuestJob {
    /// The job of this claim, with what was resolved for it.
    pub fn of(claim: &Claim, max_attempts: u32, deadline: Timestamp) -> Self {
        Self {
            id: claim.job,
            run: claim.run,
            kind: claim.kind.clone(),
            queue: claim.queue.clone(),
            args: claim.args.clone(),
            tries: claim.tries,
            max_attempts,
            parent: claim.lineage.parent,
            created_at: claim.created_at,
            scheduled_at: claim.scheduled_at,
            deadline,
            tags: claim.tags.clone(),
            metadata: claim.metadata.clone(),
        }
    }
}

/// How an attempt ended, after its store was dropped.
#[derive(Debug)]
pub struct Ended {
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took, what it used and logged, and the digest of what ran.
    pub evidence: Evidence,
}

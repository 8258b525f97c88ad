//! How things stand.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::job::{ExecutorClass, JobId, JobState, Json, Kind, NodeId, Queue, Tag, Timestamp};

/// A kind as it was published last.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct KindRecord {
    pub kind: Kind,
    pub summary: String,
    pub args_schema: Option<Json>,
    pub defaults: Json,
    pub paused: bool,
    pub published_at: Timestamp,
}

/// Which jobs to list.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// In any of these states; all if empty.
    pub states: Vec<JobState>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// In this queue.
    pub queue: Option<Queue>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Older than this one: the last of the page before.
    pub before: Option<JobId>,
    /// At most so many; 1…1000.
    pub limit: u32,
}

/// How things stand.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// Jobs by state; every state is named.
    pub states: BTreeMap<JobState, u64>,
    /// Lanes with jobs that are available.
    pub lanes: Vec<LaneCount>,
    /// When it was so.
    pub sampled_at: Timestamp,
}

/// The available jobs of one lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are columns of jobs")]
pub struct LaneCount {
    pub queue: Queue,
    pub kind: Kind,
    pub executor_class: ExecutorClass,
    /// How many are available.
    pub available: u64,
    /// Since when the first of them has been due.
    pub oldest_due: Timestamp,
}

/// A node as it was seen last.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct NodeRecord {
    pub id: NodeId,
    pub name: String,
    pub pid: u32,
    pub version: String,
    pub started_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub steady_since: Option<Timestamp>,
    pub lost_at: Option<Timestamp>,
    /// Set, and `lost_at` too, if it left in order.
    pub left_at: Option<Timestamp>,
    pub serves: Json,
    pub kinds: Json,
    pub concurrency: u32,
    pub in_flight: u32,
}

//! How things stand.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{KindWaiting, Selection};
use crate::job::{ExecutorClass, JobId, JobRecord, JobState, Json, Kind, NodeId, Queue, Timestamp};

/// A kind as it was published last.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct KindRecord {
    pub kind: Kind,
    pub summary: String,
    pub args_schema: Option<Json>,
    pub defaults: Json,
    pub paused: bool,
    /// None, if no node has it yet and it was paused.
    pub published_at: Option<Timestamp>,
}

/// Which jobs to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Which.
    pub selection: Selection,
    /// Older than this one: the last of the page before.
    pub before: Option<JobId>,
    /// At most so many; 1…1000.
    pub limit: u32,
}

/// Jobs, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The jobs; they may be fewer than was asked for although there are more.
    pub jobs: Vec<JobRecord>,
    /// Where the next page begins; there is nothing more if there is none.
    pub next: Option<JobId>,
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

/// The jobs that come before one in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// How many, as far as they were counted.
    pub jobs: u32,
    /// Whether there are more.
    pub more: bool,
}

/// A lane in which a job waits that would run without anybody's help.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are columns of jobs")]
pub struct Waiting {
    pub queue: Queue,
    pub kind: Kind,
    pub executor_class: ExecutorClass,
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
    /// How long it keeps things; none, if it takes no part in maintenance.
    pub retention: Option<Json>,
    pub concurrency: u32,
    pub in_flight: u32,
}

impl NodeRecord {
    /// Whether it holds its lease, as far as the database knows: a node that has left, was lost, or let its lease pass
    /// has nothing to offer. On SQLite, where there is no lease, one that died is only found out when the next starts.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.lost_at.is_none() && self.expires_at.is_none_or(|expires| expires > now)
    }

    /// The kinds that it has loaded.
    pub fn kind_names(&self) -> Vec<String> {
        self.kind_digests().into_keys().collect()
    }

    /// The kinds that it has loaded, with the digests of their components.
    pub fn kind_digests(&self) -> BTreeMap<String, String> {
        let kinds: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(self.kinds.as_str()).unwrap_or_default();
        let digest = |digest: serde_json::Value| digest.as_str().map(str::to_owned).unwrap_or_default();
        kinds.into_iter().map(|(kind, value)| (kind, digest(value))).collect()
    }
}

/// What a node serves, as it says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Serves {
    /// By name; none means every queue.
    queues: BTreeMap<String, serde_json::Value>,
    /// `*`, or some; none means jobs without a class alone.
    classes: serde_json::Value,
}

impl NodeRecord {
    /// Whether it has a worker of this kind.
    pub fn has_kind(&self, kind: &Kind) -> bool {
        self.kind_digests().contains_key(kind.as_str())
    }

    /// Whether it takes jobs of this queue.
    pub fn serves_queue(&self, queue: &Queue) -> bool {
        let queues = self.serves().queues;
        queues.is_empty() || queues.contains_key(queue.as_str())
    }

    /// Whether it takes jobs of this class; the empty name is those without one.
    pub fn serves_class(&self, class: &ExecutorClass) -> bool {
        match self.serves().classes {
            serde_json::Value::String(every) => every == "*" || every == class.as_str(),
            serde_json::Value::Array(classes) => classes.iter().any(|one| one == class.as_str()),
            _ => class.as_str().is_empty(),
        }
    }

    fn serves(&self) -> Serves {
        serde_json::from_str(self.serves.as_str()).unwrap_or_default()
    }
}

impl Overview {
    /// The kinds with jobs to claim that none of these nodes has.
    pub fn kinds_waiting<'n>(&self, alive: impl IntoIterator<Item = &'n NodeRecord>) -> Vec<KindWaiting> {
        let served: BTreeSet<String> = alive.into_iter().flat_map(NodeRecord::kind_names).collect();
        let mut waiting: BTreeMap<&Kind, (u64, Timestamp)> = BTreeMap::new();
        for lane in self.lanes.iter().filter(|lane| !served.contains(lane.kind.as_str())) {
            let (available, oldest) = waiting.entry(&lane.kind).or_insert((0, lane.oldest_due));
            *available += lane.available;
            *oldest = (*oldest).min(lane.oldest_due);
        }
        let told = |(kind, (available, oldest_due)): (&Kind, _)| KindWaiting {
            kind: kind.clone(),
            available,
            oldest_due,
        };
        waiting.into_iter().map(told).collect()
    }
}

//! What is read back: a job, its runs, its log, under the column names that the database has.

use serde::Serialize;

use super::{
    ErrorClass, ExecutorClass, JobId, JobState, Json, Kind, LogLevel, NodeId, Outcome, Queue, RunId,
    SettledBy, Tag, Timestamp,
};

/// A row of `jobs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct JobRecord {
    pub id: JobId,
    pub kind: Kind,
    pub queue: Queue,
    pub args: Json,
    pub priority: u16,
    pub state: JobState,
    pub attempt: u32,
    pub failures: u32,
    pub crashes: u32,
    pub releases: u32,
    pub snoozes: u32,
    pub last_chance: bool,
    pub max_attempts: Option<u32>,
    pub timeout_ms: Option<u64>,
    pub fuel: Option<u64>,
    pub backoff_base_ms: Option<u64>,
    pub backoff_cap_ms: Option<u64>,
    pub created_at: Timestamp,
    pub scheduled_at: Timestamp,
    pub finalized_at: Option<Timestamp>,
    pub node_id: Option<NodeId>,
    pub lease_token: Option<RunId>,
    pub deadline_at: Option<Timestamp>,
    pub cancel_requested_at: Option<Timestamp>,
    pub unique_key: Option<String>,
    pub unique_active_key: Option<String>,
    pub parent_id: Option<JobId>,
    pub parent_run_id: Option<RunId>,
    pub root_id: Option<JobId>,
    pub depth: u16,
    pub awaited: bool,
    pub continues_run_id: Option<RunId>,
    pub executor_class: ExecutorClass,
    pub blocked_by: Option<String>,
    pub limit_key: Option<String>,
    pub schedule_slug: Option<String>,
    pub tags: Vec<Tag>,
    pub metadata: Json,
    pub on_discard: Option<Json>,
}

/// A job that a continuation continues, with how its last attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct ChildRecord {
    pub id: JobId,
    pub kind: Kind,
    pub state: JobState,
    pub attempt: u32,
    pub output: Option<Json>,
    pub error_class: Option<ErrorClass>,
    pub error_message: Option<String>,
}

/// A row of `job_runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are the columns, which the contract names")]
pub struct RunRecord {
    pub id: RunId,
    pub job_id: JobId,
    pub attempt: u32,
    pub node_id: NodeId,
    pub executor_class: ExecutorClass,
    pub component_digest: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub outcome: Outcome,
    pub settled_by: Option<SettledBy>,
    pub late_outcome: Option<Outcome>,
    pub late_at: Option<Timestamp>,
    pub error_class: Option<ErrorClass>,
    pub error_message: Option<String>,
    pub error_detail: Option<String>,
    pub output: Option<Json>,
    pub duration_ms: Option<u64>,
    pub cost_micros: Option<u64>,
    pub enqueued_children: u32,
    pub progress: Option<Json>,
    pub fuel_used: Option<u64>,
    pub cpu_us: Option<u64>,
    pub peak_memory_bytes: Option<u64>,
    pub http_requests: Option<u64>,
    pub http_bytes: Option<u64>,
    pub log_bytes: Option<u64>,
    pub log_dropped: Option<u64>,
}

/// A row of `run_logs`: one line that a worker wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogRecord {
    /// Its place in the attempt's log; where lines were dropped there is a gap.
    pub seq: u32,
    /// When the host took it.
    pub at: Timestamp,
    /// How much it matters.
    pub level: LogLevel,
    /// The line, bounded and harmless to print.
    pub message: String,
    /// Its fields, as a JSON object; `None` if it has none.
    pub fields: Option<Json>,
}

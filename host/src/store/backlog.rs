//! For measurements and their tests: many rows that a claim can't take, quickly, and what a claim costs beside them.
//! Not part of the API.

use serde::Serialize;

use super::{ClaimRequest, Database, Result, database_of, postgres, sqlite};
use crate::job::Timestamp;

/// A sort of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Jobs that may be claimed, to measure with: of the kind `work`, in the queue `default`.
    Ready,
    /// Of kinds that the node has not loaded.
    UnloadedKind,
    /// In queues that are paused.
    PausedQueue,
    /// Of kinds that are paused.
    PausedKind,
    /// Over a limit, in the lane of those that are ready.
    Blocked,
    /// Of executor classes that the node does not have.
    OtherClass,
    /// Due tomorrow.
    Ahead,
    /// Ended, with a run each.
    Finished,
}

impl Sort {
    /// Those that no claim may mind.
    pub const BACKLOG: [Self; 7] = [
        Self::UnloadedKind,
        Self::PausedQueue,
        Self::PausedKind,
        Self::Blocked,
        Self::OtherClass,
        Self::Ahead,
        Self::Finished,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::UnloadedKind => "unloaded_kind",
            Self::PausedQueue => "paused_queue",
            Self::PausedKind => "paused_kind",
            Self::Blocked => "blocked",
            Self::OtherClass => "other_class",
            Self::Ahead => "ahead",
            Self::Finished => "finished",
        }
    }
}

/// How many of which.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// Which.
    pub sort: Sort,
    /// How many.
    pub rows: u32,
    /// In so many lanes, if their sort has lanes of its own.
    pub lanes: u32,
    /// When they were enqueued.
    pub now: Timestamp,
}

/// What a claim costs that is not time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Effort {
    /// Pages of shared memory that the statement touched, and those that were not in it (PostgreSQL).
    Buffers {
        /// Found there.
        buffers_hit: u64,
        /// Read into it.
        buffers_read: u64,
    },
    /// Instructions of SQLite's virtual machine.
    Steps {
        /// So many.
        vm_steps: u64,
    },
}

impl Effort {
    /// As one number.
    pub const fn total(self) -> u64 {
        match self {
            Self::Buffers { buffers_hit, buffers_read } => buffers_hit + buffers_read,
            Self::Steps { vm_steps } => vm_steps,
        }
    }
}

/// Makes an empty database on a PostgreSQL server; answers how it is reached.
///
/// # Errors
/// Whatever the server says.
pub async fn create(server: &str, name: &str) -> Result<String> {
    postgres::create_database(server, name).await
}

/// Drops it.
///
/// # Errors
/// Whatever the server says.
pub async fn drop(server: &str, name: &str) -> Result<()> {
    postgres::drop_database(server, name).await
}

/// Fills a database whose schema is there. Statistics are gathered by [`settle`], not here.
///
/// # Errors
/// Whatever the database says.
pub async fn fill(url: &str, fill: &Fill) -> Result<()> {
    match database_of(url)? {
        Database::Sqlite => sqlite::fill(url, fill).await,
        Database::Postgres => postgres::fill(url, fill).await,
    }
}

/// Brings a filled database into the order that time would: what was written is where it belongs, and statistics are
/// gathered.
///
/// # Errors
/// Whatever the database says.
pub async fn settle(url: &str) -> Result<()> {
    match database_of(url)? {
        Database::Sqlite => sqlite::tidy(url).await,
        Database::Postgres => postgres::tidy(url).await,
    }
}

/// What this claim costs, which is not carried out. Asked twice, so that nothing is counted that is done once.
///
/// # Errors
/// Whatever the database says.
pub async fn effort(url: &str, request: &ClaimRequest, now: Timestamp) -> Result<Effort> {
    let ask = super::claimed::Ask::new(request, now);
    match database_of(url)? {
        Database::Sqlite => sqlite::effort(url, &ask).await,
        Database::Postgres => postgres::effort(url, &ask).await,
    }
}

/// What the rows of a sort have: what stands in their columns, and to which of them the number of the lane is added.
pub(super) struct Columns {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    pub(super) queue: &'static str,
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    pub(super) priority: i64,
    pub(super) spread: &'static str,
    pub(super) scheduled_at: Timestamp,
}

impl Fill {
    /// Rows of a backlog would go first, if they could.
    pub(super) fn columns(&self) -> Columns {
        let ready = Columns {
            id: "100",
            kind: "work",
            queue: "default",
            class: "",
            state: "available",
            priority: 0,
            spread: "",
            scheduled_at: self.now,
        };
        let day = std::time::Duration::from_secs(24 * 3600);
        match self.sort {
            Sort::Ready => Columns { priority: 100, ..ready },
            Sort::UnloadedKind => Columns { id: "201", kind: "other", spread: "kind", ..ready },
            Sort::PausedQueue => Columns { id: "202", queue: "closed", spread: "queue", ..ready },
            Sort::PausedKind => Columns { id: "203", kind: "held", spread: "kind", ..ready },
            Sort::Blocked => Columns { id: "204", spread: "blocked", ..ready },
            Sort::OtherClass => Columns { id: "205", class: "gpu", spread: "class", ..ready },
            Sort::Ahead => {
                Columns { id: "206", state: "scheduled", scheduled_at: self.now.after(day), ..ready }
            }
            Sort::Finished => Columns { id: "207", state: "succeeded", ..ready },
        }
    }
}

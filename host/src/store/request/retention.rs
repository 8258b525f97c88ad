//! What is asked of retention, and answered.

use serde::Serialize;
use uuid::Uuid;

use crate::job::{Kind, Queue, Timestamp, Walk};

/// Where a walk has come to. It goes on behind this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(in crate::store) at: Timestamp,
    pub(in crate::store) id: Uuid,
    pub(in crate::store) seq: u32,
}

/// Whether what is found goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doom {
    /// It does.
    Delete,
    /// It is only counted.
    Count,
}

/// A step of a walk.
#[derive(Clone, Debug)]
pub struct PruneStep {
    /// Which walk.
    pub walk: Walk,
    /// Behind what the last step came to.
    pub behind: Option<Place>,
    /// Rows to look at, at most: of jobs, or of lines that were logged.
    pub limit: u32,
    /// Whether what is found goes.
    pub doom: Doom,
    /// When counting: lines of attempts that began before this are not counted, for another walk does.
    pub lines_from: Timestamp,
}

impl PruneStep {
    /// The first of a walk.
    pub const fn of(walk: Walk, doom: Doom) -> Self {
        Self { walk, behind: None, limit: 500, doom, lines_from: Timestamp::EPOCH }
    }
}

/// What a step, or many, deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Jobs.
    pub jobs: u64,
    /// Their runs.
    pub runs: u64,
    /// Lines that attempts logged.
    pub logs: u64,
    /// What jobs left for their next attempt.
    pub checkpoints: u64,
    /// What operators ordered.
    pub actions: u64,
    /// Nodes that are no more.
    pub nodes: u64,
    /// The jobs by kind and queue.
    #[serde(skip)]
    pub by_queue: Vec<(Kind, Queue, u64)>,
    /// Where the walk goes on; none, if it is through.
    #[serde(skip)]
    pub next: Option<Place>,
}

impl Pruned {
    /// Adds the counts of another step.
    pub fn add(&mut self, step: &Self) {
        self.jobs += step.jobs;
        self.runs += step.runs;
        self.logs += step.logs;
        self.checkpoints += step.checkpoints;
        self.actions += step.actions;
        self.nodes += step.nodes;
    }

    /// Whether nothing was deleted.
    pub const fn is_nothing(&self) -> bool {
        self.jobs + self.runs + self.logs + self.checkpoints + self.actions + self.nodes == 0
    }
}

/// How much room the jobs take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Footprint {
    /// Tables with their indexes; on SQLite the file.
    pub bytes: u64,
    /// Of the file, what is free to be used again (SQLite).
    pub free_bytes: Option<u64>,
    /// The write-ahead log (SQLite).
    pub wal_bytes: Option<u64>,
    /// Rows that a vacuum will take away (PostgreSQL).
    pub dead_rows: Option<u64>,
}

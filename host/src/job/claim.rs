//! A claimed job: the right to run one attempt of it, held by one node, once.

use super::{ExecutorClass, JobId, Json, Kind, Overrides, Queue, RunId, Tag, Timestamp};

/// One attempt that this node holds the lease of. Not `Clone`: an attempt is settled once.
#[derive(Debug)]
pub struct Claim {
    /// The attempt, and the token that every later write carries.
    pub run: RunId,
    /// The job.
    pub job: JobId,
    /// Which worker runs it.
    pub kind: Kind,
    /// The line that it came from.
    pub queue: Queue,
    /// The label that routed it here.
    pub executor_class: ExecutorClass,
    /// What the worker is given.
    pub args: Json,
    /// Lower runs first.
    pub priority: u16,
    /// How often it was tried, this attempt included in `attempt`.
    pub tries: Tries,
    /// Its next loss would discard it: it runs alone.
    pub last_chance: bool,
    /// A job is enqueued if this one is discarded.
    pub on_discard: bool,
    /// It has a permit of a limit by key, which its end frees.
    pub limited: bool,
    /// An attempt before this one left a checkpoint.
    pub checkpoint: bool,
    /// What the job asks for itself.
    pub overrides: Overrides,
    /// Where it comes from.
    pub lineage: Lineage,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it was due.
    pub scheduled_at: Timestamp,
    /// When the store ends the attempt, should this node be too wedged to do so.
    pub deadline_at: Timestamp,
    /// Words that it is found by.
    pub tags: Vec<Tag>,
    /// `request_id`, `traceparent` and free keys, as a JSON object.
    pub metadata: Json,
}

/// How often a job was tried, and how that went. Counts in a row become 0 when the row ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// Attempts; only grows.
    pub attempt: u32,
    /// Charged attempts.
    pub failures: u32,
    /// Losses of the node, in a row.
    pub crashes: u32,
    /// Releases for want of memory or sandboxes, in a row.
    pub releases: u32,
    /// Snoozes.
    pub snoozes: u32,
}

/// A job's place among its relatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lineage {
    /// The job whose attempt asked for this one, or that it was enqueued as a child of.
    pub parent: Option<JobId>,
    /// The attempt that asked.
    pub parent_run: Option<RunId>,
    /// The first ancestor. If it has a parent and no root is named here, root and depth are found when it is inserted.
    pub root: Option<JobId>,
    /// Generations below the root.
    pub depth: u16,
    /// A barrier waits for its end.
    pub awaited: bool,
    /// The run whose follow-ups it continues, if a barrier enqueued it.
    pub continues: Option<RunId>,
}

/// What the end of a job, or of an attempt, may bring about. The store looks for it only where there may be something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequel {
    /// A barrier waits for its end.
    pub awaited: bool,
    /// A job is enqueued if it is discarded.
    pub on_discard: bool,
    /// Its end frees a permit of a limit by key.
    pub limited: bool,
}

impl Lineage {
    /// The place of a job that somebody else than an attempt enqueues as the child of this one.
    pub const fn child_of(parent: JobId) -> Self {
        let (parent_run, root, continues) = (None, None, None);
        Self { parent: Some(parent), parent_run, root, depth: 0, awaited: false, continues }
    }

    /// The parent, if what is above it is still to be found.
    pub const fn unplaced(&self) -> Option<JobId> {
        match self.root {
            None => self.parent,
            Some(_) => None,
        }
    }
}

impl Claim {
    /// The place of a job that this attempt asks for.
    pub fn child_lineage(&self) -> Lineage {
        Lineage {
            parent: Some(self.job),
            parent_run: Some(self.run),
            root: Some(self.lineage.root.unwrap_or(self.job)),
            depth: self.lineage.depth.saturating_add(1),
            ..Lineage::default()
        }
    }
}

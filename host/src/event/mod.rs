//! What happened: one [`Event`] for everything that happened to jobs, plugins and nodes, told after the store said yes.
//!
//! Emitting never blocks. A recorder is called in line and must be quick; any number of other consumers each have a
//! bounded queue that drops and counts when it is full.

mod bus;

use std::time::Duration;

pub use bus::{Consumer, Events};

use crate::job::{ErrorClass, JobId, JobState, Kind, Meter, NodeId, Outcome, Queue, RunId, Slug};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A job was claimed, and its attempt is about to start.
    JobStarted {
        /// Which.
        job: JobRef,
        /// From due to now.
        wait: Duration,
    },
    /// An attempt ended, and the store has it.
    JobFinished(Box<Finished>),
    /// The lease of an attempt had passed on when its outcome came.
    JobSuperseded {
        /// Which.
        job: JobRef,
    },
    /// A job was taken from a lost node, or its deadline was missed.
    JobReclaimed {
        /// Which.
        job: JobRef,
        /// Where it went.
        state: JobState,
        /// `crashed` or `timeout`.
        outcome: Outcome,
    },
    /// Due jobs became available.
    JobsPromoted {
        /// How many.
        count: u32,
    },
    /// Jobs were inserted through this process.
    JobEnqueued {
        /// Which.
        job: JobId,
        /// Its kind.
        kind: Kind,
        /// Its queue.
        queue: Queue,
        /// A unique key was taken: nothing was inserted.
        duplicate: bool,
    },
    /// A plugin went into service.
    PluginLoaded {
        /// Its kind.
        kind: Kind,
        /// The digest of its component.
        digest: String,
        /// Reading, compiling and describing.
        took: Duration,
    },
    /// A file was not taken; whatever served before still does.
    PluginRefused {
        /// Its kind.
        kind: Kind,
        /// What was wrong and what to do.
        reason: String,
    },
    /// A plugin left service.
    PluginRemoved {
        /// Its kind.
        kind: Kind,
    },
    /// A guest was refused something.
    GrantDenied {
        /// Whose worker.
        kind: Kind,
        /// What it lacks: `enqueue`, `http`.
        grant: &'static str,
        /// What would allow it.
        hint: String,
    },
    /// Another node was found dead.
    NodeLost {
        /// Which.
        node: NodeId,
    },
    /// This node could not renew its lease in time, or was marked lost.
    LeaseLost {
        /// Attempts that it stopped.
        attempts: usize,
    },
    /// A schedule has come to buckets, and its cursor has come on.
    ScheduleFired {
        /// Which.
        slug: Slug,
        /// Jobs that it enqueued; each is told of by an event of its own too.
        enqueued: u32,
        /// Buckets that had their job already.
        repeated: u32,
        /// Buckets that were passed over, because the last job had not ended.
        skipped: u32,
    },
    /// A schedule is due and can't be fired.
    ScheduleBroken {
        /// Which.
        slug: Slug,
        /// Why.
        error: String,
    },
    /// Jobs are gone: they were kept for long enough, or an operator deleted them.
    JobsPruned {
        /// Their kind.
        kind: Kind,
        /// Their queue.
        queue: Queue,
        /// How many.
        count: u64,
    },
    /// A service of this node ended or panicked, and is started again.
    ServiceRestarted {
        /// Its name.
        service: &'static str,
        /// Why it ended.
        reason: String,
    },
}

/// Which attempt of which job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns of the same names")]
pub struct JobRef {
    pub job: JobId,
    pub run: RunId,
    pub kind: Kind,
    pub queue: Queue,
    pub attempt: u32,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Which.
    pub job: JobRef,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// What sort of failure.
    pub error_class: Option<ErrorClass>,
    /// What a human reads.
    pub error_message: Option<String>,
    /// Where the job went.
    pub state: JobState,
    /// How long the attempt took.
    pub duration: Duration,
    /// What it used.
    pub meter: Meter,
}

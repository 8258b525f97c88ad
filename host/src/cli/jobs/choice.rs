//! The flags that say which jobs.

use crate::job::{ErrorClass, ExecutorClass, JobId, JobState, Key, Kind, Queue, Tag, Timestamp};
use crate::quantity::Moment;
use crate::store::{Between, Selection};

/// Which jobs: all that is given must hold.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Choice {
    /// In this state; repeatable.
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<JobState>,
    /// Of this kind.
    #[arg(long)]
    kind: Option<Kind>,
    /// In this queue.
    #[arg(long)]
    queue: Option<Queue>,
    /// With this tag.
    #[arg(long)]
    tag: Option<Tag>,
    /// Of this executor class; '' is the jobs without one.
    #[arg(long, value_name = "NAME")]
    class: Option<ExecutorClass>,
    /// The children of this job.
    #[arg(long, value_name = "ID")]
    parent: Option<JobId>,
    /// What this job led to, its children's children included.
    #[arg(long, value_name = "ID")]
    root: Option<JobId>,
    /// Enqueued by this schedule.
    #[arg(long, value_name = "SLUG")]
    schedule: Option<String>,
    /// The job that has this unique key, or that has not ended and has it as its active one.
    #[arg(long, value_name = "KEY")]
    key: Option<Key>,
    /// Whose last run failed with this class.
    #[arg(long, value_name = "CLASS")]
    error_class: Option<ErrorClass>,
    /// Enqueued at or after this: RFC 3339, or so long ago as `5m` or `2d`.
    #[arg(long, value_name = "TIME")]
    created_after: Option<Moment>,
    /// Enqueued before this.
    #[arg(long, value_name = "TIME")]
    created_before: Option<Moment>,
    /// Ended at or after this.
    #[arg(long, value_name = "TIME")]
    finalized_after: Option<Moment>,
    /// Ended before this.
    #[arg(long, value_name = "TIME")]
    finalized_before: Option<Moment>,
}

impl Choice {
    pub(super) fn selection(self, ids: Vec<JobId>, now: Timestamp) -> Selection {
        let at = |moment: Option<Moment>| moment.map(|moment| moment.before(now));
        Selection {
            ids,
            states: self.states,
            kind: self.kind,
            queue: self.queue,
            tag: self.tag,
            executor_class: self.class,
            parent_id: self.parent,
            root_id: self.root,
            schedule_slug: self.schedule,
            key: self.key,
            error_class: self.error_class,
            created: Between { from: at(self.created_after), before: at(self.created_before) },
            finalized: Between { from: at(self.finalized_after), before: at(self.finalized_before) },
        }
    }
}

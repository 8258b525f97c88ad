//! Which jobs: the one description that lists and orders share.

use serde::Serialize;

use crate::job::{ErrorClass, ExecutorClass, JobId, JobState, Key, Kind, Operation, Queue, Tag, Timestamp};

/// Which jobs. What is left out is no restriction; what is given must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// Any of these, if there are any.
    pub ids: Vec<JobId>,
    /// In any of these states; in every one if empty, but an order for jobs that are not named by their ids then takes those
    /// that it usually moves.
    pub states: Vec<JobState>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// In this queue.
    pub queue: Option<Queue>,
    /// With this tag.
    pub tag: Option<Tag>,
    /// Of this executor class; the empty name is the jobs without one.
    pub executor_class: Option<ExecutorClass>,
    /// The children of this job.
    pub parent_id: Option<JobId>,
    /// What this job led to, its children's children included.
    pub root_id: Option<JobId>,
    /// Enqueued by this schedule.
    pub schedule_slug: Option<String>,
    /// The job that has this unique key, or that has not ended and has it as its active one.
    pub key: Option<Key>,
    /// Whose last run failed with this class.
    pub error_class: Option<ErrorClass>,
    /// Enqueued in this time.
    pub created: Between,
    /// Ended in this time.
    pub finalized: Between,
}

/// A time with open ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Between {
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub before: Option<Timestamp>,
}

/// How much of all jobs an order may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It must be restricted by something: who forgets the restriction does not mean every job.
    Restricted,
    /// Every job, if nothing restricts it.
    Everything,
}

/// Why an order can't be given for a selection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Nothing restricts it.
    #[error(
        "a {0} of every job must be meant: name ids, a parent, kind, queue, tag, state, time or error class, or say \
         that all are meant (--all)"
    )]
    Unbounded(&'static str),
    /// A state that the order never moves.
    #[error("a {0} does not move jobs that are {1}{2}")]
    State(&'static str, JobState, &'static str),
}

impl Selection {
    /// The jobs with these ids.
    pub fn ids(ids: impl Into<Vec<JobId>>) -> Self {
        Self { ids: ids.into(), ..Self::default() }
    }

    /// The children of a job.
    pub fn children(parent: JobId) -> Self {
        Self { parent_id: Some(parent), ..Self::default() }
    }

    /// The jobs of a kind.
    pub fn kind(kind: Kind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// The same, in these states only.
    #[must_use]
    pub fn in_states(self, states: impl Into<Vec<JobState>>) -> Self {
        Self { states: states.into(), ..self }
    }

    /// Whether nothing restricts it.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The selection that an order is given for: its usual states, where none is named.
    ///
    /// # Errors
    /// [`SelectionError`] when it is not restricted and must be, or names a state that the order never moves.
    pub fn for_order(&self, operation: Operation, scope: Scope) -> Result<Self, SelectionError> {
        if scope == Scope::Restricted && self.is_everything() {
            return Err(SelectionError::Unbounded(operation.name()));
        }
        if let Some(state) = self.states.iter().find(|state| !operation.moves(**state)) {
            let hint = match (operation, state) {
                (Operation::Replay(_), JobState::Succeeded) => ", unless it is forced (--force)",
                (Operation::Pause | Operation::Retry | Operation::Reschedule(_), JobState::Running) => {
                    ": cancel them first"
                }
                (Operation::Delete, _) => ": cancel them first",
                (Operation::Retry, JobState::Paused) => ": resume them",
                _ => "",
            };
            return Err(SelectionError::State(operation.name(), *state, hint));
        }
        let mut selection = self.clone();
        // Of what is named one by one, nothing is passed over in silence.
        if selection.states.is_empty() && selection.ids.is_empty() {
            selection.states = operation.usual().to_vec();
        }
        Ok(selection)
    }
}

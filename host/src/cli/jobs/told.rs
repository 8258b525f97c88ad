//! What is said of one job that was to be changed.

use serde::Serialize;

use crate::cli::Exit;
use crate::job::{JobId, JobState, Operation};
use crate::store::Answer;

/// A job and what became of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Changed {
    pub(super) id: JobId,
    #[serde(flatten)]
    pub(super) answer: Answer,
}

impl Changed {
    pub(super) const fn new(id: JobId, answer: Answer) -> Self {
        Self { id, answer }
    }
}

/// How it went, and in words.
pub(super) fn told(operation: Operation, answer: Answer) -> (Exit, String) {
    match answer {
        Answer::Moved { state } => (Exit::Done, moved(operation, state)),
        Answer::Requested => (Exit::Done, "runs now: its node was told".into()),
        Answer::Left { state } => (Exit::Failed, left(operation, state)),
        Answer::KeyTaken { holder } => (Exit::Failed, format!("its active key is held by job {holder}")),
        Answer::Deleted => (Exit::Done, "deleted".into()),
        Answer::Needed { by } => (Exit::Failed, format!("is still needed: {by}")),
        Answer::NotFound => (Exit::NotFound, "not found".into()),
    }
}

/// What became of a job that was changed.
fn moved(operation: Operation, state: JobState) -> String {
    match operation {
        Operation::Reprioritise(priority) => format!("{state}, priority {priority}"),
        Operation::Reschedule(_)
        | Operation::Pause
        | Operation::Resume
        | Operation::Cancel(_)
        | Operation::Retry
        | Operation::Replay(_)
        | Operation::Delete => state.to_string(),
    }
}

/// Why a job was left alone, and what to do.
fn left(operation: Operation, state: JobState) -> String {
    match (operation, state) {
        (Operation::Reprioritise(_), JobState::Running) => "runs now: it waits for nothing any more".into(),
        (_, JobState::Running) => "runs now: cancel it first".into(),
        (Operation::Delete, _) => format!("has not ended: {state}; cancel it first"),
        (Operation::Cancel(_), _) => format!("had ended before: {state}"),
        (Operation::Retry, JobState::Succeeded) => "has succeeded: nothing to retry".into(),
        (Operation::Replay(_), JobState::Succeeded) => "has succeeded: --force runs it again".into(),
        (Operation::Retry, JobState::Paused) => "is paused: resume it".into(),
        (Operation::Resume, _) => format!("is not paused: {state}"),
        (Operation::Replay(_), _) => format!("has not ended: {state}"),
        (Operation::Pause, JobState::Paused) => "is paused already".into(),
        (Operation::Reprioritise(_) | Operation::Reschedule(_), _) => {
            format!("had ended before: {state}; `flyball jobs replay` runs it again")
        }
        (Operation::Pause | Operation::Retry, _) => format!("is {state}: left alone"),
    }
}

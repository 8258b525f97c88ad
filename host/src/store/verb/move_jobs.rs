//! One batch of an order, inside its transaction: jobs are held in the order of their ids, and those that the order
//! moves are moved.

use std::collections::{BTreeMap, BTreeSet};

use crate::job::{Barriers, JobId, JobState, Operation, Replay, RunId, Timestamp};
use crate::store::batch::join;
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::statements::Statements;
use crate::store::value::Row;
use crate::store::{Answer, Result, Selection};

use super::barrier;
use super::delete_jobs::{Deletion, Gone, delete_jobs};
use super::endings::{Endings, Enqueued};

/// Jobs, and what is to be done to them.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) jobs: Vec<JobId>,
    pub(super) operation: Operation,
    /// What they were found by, if they were not named.
    pub(super) selection: Option<Selection>,
}

impl Batch {
    /// What the whole order asks for: the same for each of its batches.
    pub(super) fn asked(&self) -> serde_json::Value {
        // Jobs that were named are part of what was asked for.
        let jobs = self.selection.is_none().then_some(&self.jobs);
        serde_json::json!({ "operation": self.operation, "selection": self.selection, "jobs": jobs })
    }

    /// The same in few words: what is not restricted is left out, and jobs that were named are not named again.
    pub(super) fn about(&self) -> serde_json::Value {
        let mut about = serde_json::json!({ "operation": self.operation });
        let Some(selection) = &self.selection else { return about };
        let serde_json::Value::Object(fields) = serde_json::json!(selection) else { return about };
        let restricts = |value: &serde_json::Value| match value {
            serde_json::Value::Null => false,
            serde_json::Value::Array(items) => !items.is_empty(),
            serde_json::Value::Object(ends) => ends.values().any(|end| !end.is_null()),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::String(_) => true,
        };
        let mut fields: serde_json::Map<_, _> =
            fields.into_iter().filter(|(_, value)| restricts(value)).collect();
        if let Some(ids) = fields.get_mut("ids") {
            *ids = selection.ids.len().into();
        }
        about["selection"] = fields.into();
        about
    }

    /// Whether a job that is in this state now is one to be moved. It may have moved on since it was found.
    fn takes(&self, state: JobState) -> bool {
        let asked = |selection: &Selection| selection.states.is_empty() || selection.states.contains(&state);
        self.operation.moves(state) && self.selection.as_ref().is_none_or(asked)
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Moved {
    /// For each job that is there.
    pub(super) answers: BTreeMap<JobId, Answer>,
    /// What followed the end of jobs.
    pub(super) enqueued: Vec<Enqueued>,
    /// Those that have gone.
    pub(super) gone: Gone,
    /// Whether the batch was carried out, or only a part of it.
    pub(super) extent: Extent,
}

/// How much of a batch a transaction has carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// A part that may be done again; another transaction goes on.
    Part,
}

impl Moved {
    fn all(answers: BTreeMap<JobId, Answer>) -> Self {
        Self { answers, enqueued: Vec::new(), gone: Gone::new(), extent: Extent::Whole }
    }
}

/// Moves the jobs of a batch, and enqueues what follows.
pub(super) async fn move_jobs<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    batch: &Batch,
    now: Timestamp,
) -> Done<Moved> {
    let statements = db.statements();
    let states = lock(session, &batch.jobs, statements).await?;
    let left = |held: &Locked| (held.job, Answer::Left { state: held.state });
    let mut answers: BTreeMap<JobId, Answer> = states.iter().map(left).collect();
    let taken: Vec<Locked> = states.into_iter().filter(|held| batch.takes(held.state)).collect();
    let jobs: Vec<JobId> = taken.iter().map(|held| held.job).collect();
    let moved = match batch.operation {
        Operation::Cancel(barriers) => {
            let endings = Endings::of(db, now);
            // What finds nobody to cancel leaves the rest of the family alone.
            if !jobs.is_empty() {
                drop_barriers(&endings, session, batch, barriers).await?;
            }
            let cancelled = cancel(session, statements, &taken, now).await?;
            let ended: Vec<JobId> =
                cancelled.iter().filter(|(_, answer)| ended(answer)).map(|(job, _)| *job).collect();
            answers.extend(cancelled);
            let enqueued = endings.follow(session, &ended).await?;
            return Ok(Moved { enqueued, ..Moved::all(answers) });
        }
        _ if jobs.is_empty() => return Ok(Moved::all(answers)),
        Operation::Delete => return delete(session, statements, &jobs, answers).await,
        Operation::Pause => session.run(statements.pause, vec![jobs.as_slice().into()]).await?,
        Operation::Resume => session.run(statements.resume, vec![jobs.as_slice().into(), now.into()]).await?,
        Operation::Retry => {
            hold_barriers(session, statements, &taken).await?;
            session.run(statements.retry, vec![jobs.as_slice().into(), now.into()]).await?
        }
        Operation::Replay(how) => {
            hold_barriers(session, statements, &taken).await?;
            replay::<D>(session, statements, &jobs, how, now).await?
        }
        Operation::Reprioritise(priority) => {
            let values = vec![jobs.as_slice().into(), u32::from(priority.get()).into()];
            session.run(statements.reprioritise, values).await?
        }
        Operation::Reschedule(due) => {
            let values = vec![jobs.as_slice().into(), now.into(), due.at(now).into()];
            session.run(statements.reschedule, values).await?
        }
    };
    let moved: BTreeMap<JobId, Answer> = moved.into_iter().map(moved_to).collect::<Result<_>>()?;
    let refused: Vec<JobId> = jobs.into_iter().filter(|job| !moved.contains_key(job)).collect();
    answers.extend(moved);
    if !refused.is_empty() {
        for mut row in session.run(statements.retry_holders, vec![refused.as_slice().into()]).await? {
            answers.insert(row.id("id")?, Answer::KeyTaken { holder: row.id("holder")? });
        }
    }
    Ok(Moved::all(answers))
}

async fn delete(
    session: &mut dyn Session,
    statements: &Statements,
    jobs: &[JobId],
    mut answers: BTreeMap<JobId, Answer>,
) -> Done<Moved> {
    match delete_jobs(session, statements, jobs).await? {
        Deletion::Done { answers: deleted, gone } => {
            answers.extend(deleted);
            Ok(Moved { gone, ..Moved::all(answers) })
        }
        Deletion::Part => Ok(Moved { extent: Extent::Part, ..Moved::all(answers) }),
    }
}

fn ended(answer: &Answer) -> bool {
    matches!(answer, Answer::Moved { state } if state.is_terminal())
}

fn moved_to(mut row: Row) -> Result<(JobId, Answer)> {
    Ok((row.id("id")?, Answer::Moved { state: row.word("state")? }))
}

/// A job that is held until the transaction ends.
#[derive(Clone, Copy, Debug)]
struct Locked {
    job: JobId,
    state: JobState,
    /// The run whose barrier waits for it.
    awaited_by: Option<RunId>,
}

async fn lock(session: &mut dyn Session, jobs: &[JobId], statements: &Statements) -> Done<Vec<Locked>> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.run(statements.jobs_lock, vec![jobs.into()]).await?;
    let locked = |mut row: Row| {
        Ok(Locked { job: row.id("id")?, state: row.word("state")?, awaited_by: row.opt_id("awaited_by")? })
    };
    rows.into_iter().map(locked).collect()
}

/// Holds the barriers that count jobs which have ended and now go on: one that fires meanwhile is waited for, and one that
/// would fire counts them again. Jobs first, then barriers, as whoever ends jobs does.
async fn hold_barriers(session: &mut dyn Session, statements: &Statements, taken: &[Locked]) -> Done<()> {
    let ended = taken.iter().filter(|held| held.state.is_terminal());
    let runs: BTreeSet<RunId> = ended.filter_map(|held| held.awaited_by).collect();
    if runs.is_empty() {
        return Ok(());
    }
    let runs: Vec<RunId> = runs.into_iter().collect();
    session.run(statements.barriers_lock, vec![runs.as_slice().into()]).await.map(drop)
}

async fn cancel(
    session: &mut dyn Session,
    statements: &Statements,
    taken: &[Locked],
    now: Timestamp,
) -> Done<Vec<(JobId, Answer)>> {
    let (running, waiting): (Vec<&Locked>, Vec<&Locked>) =
        taken.iter().partition(|held| held.state == JobState::Running);
    let mut answers = Vec::with_capacity(taken.len());
    for (taken, statement, answer) in [
        (waiting, statements.cancel_waiting, Answer::Moved { state: JobState::Cancelled }),
        (running, statements.cancel_running, Answer::Requested),
    ] {
        let jobs: Vec<JobId> = taken.into_iter().map(|held| held.job).collect();
        if !jobs.is_empty() {
            session.run(statement, vec![jobs.as_slice().into(), now.into()]).await?;
        }
        answers.extend(jobs.into_iter().map(|job| (job, answer)));
    }
    Ok(answers)
}

/// Before the jobs end, so that their end fires none of them.
async fn drop_barriers(
    endings: &Endings,
    session: &mut dyn Session,
    batch: &Batch,
    barriers: Barriers,
) -> Done<()> {
    let parent = batch.selection.as_ref().and_then(|selection| selection.parent_id);
    match (barriers, parent) {
        (Barriers::Drop, Some(parent)) => barrier::drop_of(endings, session, &[parent]).await.map(drop),
        (Barriers::Drop, None) | (Barriers::Fire, _) => Ok(()),
    }
}

async fn replay<D: Dialect>(
    session: &mut dyn Session,
    statements: &Statements,
    jobs: &[JobId],
    how: Replay,
    now: Timestamp,
) -> Done<Vec<Row>> {
    let due = |job: &JobId| {
        D::WIRE.item(|fields| {
            fields.id("id", job.uuid());
            fields.time("at", how.due(*job, now));
        })
    };
    let due = join(jobs.iter().map(due));
    let values = vec![jobs.into(), due.into(), how.state().as_str().into()];
    session.run(statements.replay, values).await
}

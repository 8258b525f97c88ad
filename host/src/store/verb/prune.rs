//! Retention: what has been kept for long enough goes, a bounded step at a time.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::job::{ActionId, JobId, JobState, Kind, Queue, QueueSet, Remains, RunId, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::value::{Row, Value};
use crate::store::{Doom, Place, PruneStep, Pruned, Result};

const DOING: &str = "deleting what has been kept for long enough";
/// What one statement deletes of runs or of lines, at most; the texts say so too.
const MOST: u64 = 5000;

/// A job that a step looks at.
struct Found {
    id: JobId,
    at: Timestamp,
    kind: Kind,
    queue: Queue,
}

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn prune_step(&self, step: &PruneStep, now: Timestamp) -> Result<Pruned> {
        self.check_time(now).await?;
        let (step, statements) = (step.clone(), self.db.statements().clone());
        let before = step.walk.before(now);
        let work = self.db.prune(move |s| {
            Box::pin(async move {
                let texts = &statements;
                match (step.walk.remains, step.walk.remains.state()) {
                    (_, Some(state)) => prune_jobs(s, texts, &step, state, before).await,
                    (Remains::Actions, None) => prune_actions(s, texts, &step, before).await,
                    (Remains::Nodes, None) => prune_nodes(s, texts, &step, before, now).await,
                    (Remains::Logs | Remains::Succeeded | Remains::Cancelled | Remains::Discarded, None) => {
                        prune_logs(s, texts, &step, before).await
                    }
                }
            })
        });
        work.await.map_err(|fault| fault.told(DOING))
    }
}

async fn prune_jobs(
    session: &mut dyn Session,
    texts: &Statements,
    step: &PruneStep,
    state: JobState,
    before: Timestamp,
) -> Done<Pruned> {
    let (at, id) = step.behind.map_or((Timestamp::EPOCH, Uuid::nil()), |place| (place.at, place.id));
    let values =
        vec![state.as_str().into(), at.into(), Value::Id(Some(id)), before.into(), step.limit.into()];
    let rows = session.run(texts.prune_find, values).await?;
    let found: Vec<Found> = rows.into_iter().map(found).collect::<Result<_>>()?;
    let whole_page = found.len() >= usize::try_from(step.limit).unwrap_or(usize::MAX);
    let next = found.last().filter(|_| whole_page);
    let next = next.map(|last| Place { at: last.at, id: last.id.uuid(), seq: 0 });
    let meant: Vec<&Found> = found.iter().filter(|job| step.walk.queues.has(&job.queue)).collect();
    if meant.is_empty() {
        return Ok(Pruned { next, ..Pruned::default() });
    }
    let ids: Vec<JobId> = meant.iter().map(|job| job.id).collect();
    let held = session.run(texts.prune_hold, vec![ids.as_slice().into(), before.into()]).await?;
    let held: HashSet<JobId> = held.into_iter().map(|mut row| row.id("id")).collect::<Result<_>>()?;
    let going: Vec<&Found> = meant.into_iter().filter(|job| held.contains(&job.id)).collect();
    let ids: Vec<JobId> = going.iter().map(|job| job.id).collect();
    if ids.is_empty() {
        return Ok(Pruned { next, ..Pruned::default() });
    }
    match step.doom {
        Doom::Count => {
            let mut pruned = weigh(session, texts, &ids, step.lines_from).await?;
            pruned.next = next;
            Ok(pruned)
        }
        Doom::Delete => {
            let pruned = delete(session, texts, &ids).await?;
            if pruned.jobs == 0 {
                // There is more of theirs than one step deletes: the next one begins where this one did.
                let next =
                    Some(step.behind.unwrap_or(Place { at: Timestamp::EPOCH, id: Uuid::nil(), seq: 0 }));
                return Ok(Pruned { next, ..pruned });
            }
            Ok(Pruned { by_queue: by_queue(&going), next, ..pruned })
        }
    }
}

/// Runs and logs first; the jobs when nothing of theirs is left.
pub(super) async fn delete(session: &mut dyn Session, texts: &Statements, ids: &[JobId]) -> Done<Pruned> {
    let logs = count(session.run(texts.prune_logs, vec![ids.into()]).await?)?;
    let mut pruned = Pruned { logs, ..Pruned::default() };
    if pruned.logs >= MOST {
        return Ok(pruned);
    }
    pruned.runs = count(session.run(texts.prune_runs, vec![ids.into()]).await?)?;
    if pruned.runs >= MOST {
        return Ok(pruned);
    }
    pruned.checkpoints = count(session.run(texts.prune_checkpoints, vec![ids.into()]).await?)?;
    pruned.jobs = count(session.run(texts.prune_jobs, vec![ids.into()]).await?)?;
    Ok(pruned)
}

async fn weigh(
    session: &mut dyn Session,
    texts: &Statements,
    ids: &[JobId],
    lines_from: Timestamp,
) -> Done<Pruned> {
    let mut pruned = Pruned { jobs: ids.len() as u64, ..Pruned::default() };
    let values = vec![ids.into(), RunId::floor(lines_from).into()];
    for mut row in session.run(texts.prune_weigh, values).await? {
        pruned.runs = row.int("runs")?;
        pruned.logs = row.int("logs")?;
        pruned.checkpoints = row.int("checkpoints")?;
    }
    Ok(pruned)
}

/// What attempts logged whose jobs are kept for longer.
async fn prune_logs(
    session: &mut dyn Session,
    texts: &Statements,
    step: &PruneStep,
    before: Timestamp,
) -> Done<Pruned> {
    // Nothing is logged under the id that no run has.
    let (run, seq) = step.behind.map_or((Uuid::nil(), 0), |place| (place.id, place.seq));
    let first_kept = RunId::floor(before);
    let values = vec![Value::Id(Some(run)), seq.into(), first_kept.into(), step.limit.into()];
    let mut lines: Vec<(Uuid, u32)> = Vec::new();
    for mut row in session.run(texts.prune_old_logs, values).await? {
        lines.push((row.id("run_id")?, row.int("seq")?));
    }
    let Some(&(id, seq)) = lines.last() else { return Ok(Pruned::default()) };
    let whole_page = lines.len() >= usize::try_from(step.limit).unwrap_or(usize::MAX);
    let next = whole_page.then_some(Place { at: Timestamp::EPOCH, id, seq });
    let mut runs: Vec<Uuid> = lines.iter().map(|(run, _)| *run).collect();
    runs.dedup();
    let going = in_queues(session, texts, runs, &step.walk.queues).await?;
    let logs = match step.doom {
        Doom::Count => lines.iter().filter(|(run, _)| going.contains(run)).count() as u64,
        Doom::Delete => {
            let values = vec![Value::Ids(going), Value::Id(Some(id)), seq.into()];
            count(session.run(texts.prune_lines, values).await?)?
        }
    };
    Ok(Pruned { logs, next, ..Pruned::default() })
}

/// Those of the runs that were in these queues. One whose job is not there any more was in none that is named.
async fn in_queues(
    session: &mut dyn Session,
    texts: &Statements,
    runs: Vec<Uuid>,
    queues: &QueueSet,
) -> Done<Vec<Uuid>> {
    if queues.is_every() {
        return Ok(runs);
    }
    let mut of_runs: BTreeMap<Uuid, Queue> = BTreeMap::new();
    for mut row in session.run(texts.prune_log_queues, vec![Value::Ids(runs.clone())]).await? {
        of_runs.insert(row.id("id")?, row.name("queue", Queue::stored)?);
    }
    let meant = |run: &Uuid| match (of_runs.get(run), queues) {
        (Some(queue), queues) => queues.has(queue),
        (None, QueueSet::Except(_)) => true,
        (None, QueueSet::Only(_)) => false,
    };
    Ok(runs.into_iter().filter(meant).collect())
}

async fn prune_actions(
    session: &mut dyn Session,
    texts: &Statements,
    step: &PruneStep,
    before: Timestamp,
) -> Done<Pruned> {
    let statement = match step.doom {
        Doom::Delete => texts.prune_actions,
        Doom::Count => texts.prune_actions_count,
    };
    let values = vec![ActionId::floor(before).into(), before.into()];
    let actions = count(session.run(statement, values).await?)?;
    let start = Place { at: Timestamp::EPOCH, id: Uuid::nil(), seq: 0 };
    let next = (step.doom == Doom::Delete && actions > 0).then_some(start);
    Ok(Pruned { actions, next, ..Pruned::default() })
}

async fn prune_nodes(
    session: &mut dyn Session,
    texts: &Statements,
    step: &PruneStep,
    before: Timestamp,
    now: Timestamp,
) -> Done<Pruned> {
    if step.doom == Doom::Delete {
        // No record of anything: what is known of such keys is known without.
        session.run(texts.limit_keys_forget, vec![now.into()]).await?;
    }
    let statement = match step.doom {
        Doom::Delete => texts.prune_nodes,
        Doom::Count => texts.prune_nodes_count,
    };
    let nodes = count(session.run(statement, vec![before.into()]).await?)?;
    Ok(Pruned { nodes, ..Pruned::default() })
}

fn found(mut row: Row) -> Result<Found> {
    Ok(Found {
        id: row.id("id")?,
        at: row.time("finalized_at")?,
        kind: row.name("kind", Kind::stored)?,
        queue: row.name("queue", Queue::stored)?,
    })
}

fn by_queue(jobs: &[&Found]) -> Vec<(Kind, Queue, u64)> {
    let mut counts: BTreeMap<(&Kind, &Queue), u64> = BTreeMap::new();
    for job in jobs {
        *counts.entry((&job.kind, &job.queue)).or_default() += 1;
    }
    counts.into_iter().map(|((kind, queue), count)| (kind.clone(), queue.clone(), count)).collect()
}

/// The sum of what a statement answers: one row with a count, or a row for each.
fn count(rows: Vec<Row>) -> Result<u64> {
    rows.into_iter().map(|mut row| row.int::<u64>("n")).sum()
}

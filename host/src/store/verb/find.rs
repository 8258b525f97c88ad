//! Finding the jobs of a selection, the newest first, in steps that are bounded whatever is asked: by the index that
//! leads to them where there is one, else by walking the jobs.

use uuid::Uuid;

use crate::job::{JobId, JobState};
use crate::store::batch::texts;
use crate::store::dialect::Dialect;
use crate::store::sql_store::SqlStore;
use crate::store::value::{Row, Value};
use crate::store::{Result, Selection};

/// As many jobs are looked at by one statement of a walk.
const WINDOW: u32 = 10_000;
/// As many statements of a walk are one step.
const WINDOWS: usize = 10;
/// States are rare that have no more jobs than this: then those are gathered by the indexes of the states. What is not
/// rare is soon met on a walk.
const RARE: u32 = 5_000;
/// As many jobs are read at once whose ids are known.
const CHUNK: usize = 500;

/// What of the jobs is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// All.
    Whole,
    /// Id and state.
    State,
}

/// Some jobs of a selection.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    /// Where to go on; nothing is left if there is none.
    pub(super) next: Option<JobId>,
}

/// A part of a selection: so many jobs that are older than one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) before: JobId,
    pub(super) limit: usize,
}

impl Part {
    pub(super) fn new(before: Option<JobId>, limit: usize) -> Self {
        Self { before: before.unwrap_or_else(newest), limit }
    }
}

/// Newer than any job.
pub(super) fn newest() -> JobId {
    Uuid::max().into()
}

impl<D: Dialect> SqlStore<D> {
    /// The newest jobs of a part of a selection.
    pub(super) async fn find(&self, selection: &Selection, columns: Columns, part: Part) -> Result<Found> {
        let s = self.db.statements();
        let (walk, children, these) = match columns {
            Columns::Whole => (s.list, s.list_children, s.list_these),
            Columns::State => (s.select, s.select_children, s.select_these),
        };
        match self.known(selection).await? {
            Some(ids) => self.find_known(selection, these, ids, part).await,
            None if selection.parent_id.is_some() => self.find_children(selection, children, part).await,
            None => self.walk(selection, walk, part).await,
        }
    }

    /// The ids of all jobs among which those of the selection are, where an index or the caller knows them.
    async fn known(&self, selection: &Selection) -> Result<Option<Vec<JobId>>> {
        if !selection.ids.is_empty() {
            return Ok(Some(selection.ids.clone()));
        }
        let statements = self.db.statements();
        if let Some(key) = &selection.key {
            let rows = self.ask(statements.keyed, vec![key.as_str().into()], "looking for a key").await?;
            return ids(rows).map(Some);
        }
        let Some(states) = states_known(selection) else { return Ok(None) };
        if selection.parent_id.is_some() {
            return Ok(None);
        }
        let words = texts(states.iter().map(|state| state.as_str()));
        let finalized = selection.finalized;
        let values = vec![words.into(), (RARE + 1).into(), finalized.from.into(), finalized.before.into()];
        let rows = self.ask(statements.rare, values, "looking for jobs by state").await?;
        let rare = rows.len() <= RARE as usize;
        if rare { ids(rows).map(Some) } else { Ok(None) }
    }

    async fn find_known(
        &self,
        selection: &Selection,
        statement: &'static str,
        mut ids: Vec<JobId>,
        part: Part,
    ) -> Result<Found> {
        ids.retain(|id| *id < part.before);
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        let mut found = Found::default();
        for chunk in ids.chunks(CHUNK) {
            let left = part.limit - found.rows.len();
            let mut values = values(selection, part.before, None, left);
            values.push(chunk.into());
            found.rows.extend(self.ask(statement, values, "finding jobs").await?);
            if found.rows.len() == part.limit {
                found.next = last(&found.rows);
                break;
            }
        }
        Ok(found)
    }

    async fn find_children(
        &self,
        selection: &Selection,
        statement: &'static str,
        part: Part,
    ) -> Result<Found> {
        let values = values(selection, part.before, None, part.limit);
        let rows = self.ask(statement, values, "finding the children of a job").await?;
        let next = if rows.len() == part.limit { last(&rows) } else { None };
        Ok(Found { rows, next })
    }

    async fn walk(&self, selection: &Selection, statement: &'static str, part: Part) -> Result<Found> {
        let mut found = Found { rows: Vec::new(), next: Some(part.before) };
        for _ in 0..WINDOWS {
            let Some(before) = found.next else { break };
            let reach = vec![before.into(), (WINDOW - 1).into()];
            let end = ids(self.ask(self.db.statements().walk, reach, "walking the jobs").await?)?.pop();
            let values = values(selection, before, end, part.limit - found.rows.len());
            found.rows.extend(self.ask(statement, values, "finding jobs").await?);
            if found.rows.len() == part.limit {
                found.next = last(&found.rows);
                break;
            }
            found.next = end;
        }
        Ok(found)
    }
}

/// The states that a selection can be found by: those that it names, or those that have ended if it names a time.
fn states_known(selection: &Selection) -> Option<Vec<JobState>> {
    let finalized = selection.finalized.from.is_some() || selection.finalized.before.is_some();
    let named = |state: &&JobState| {
        (selection.states.is_empty() || selection.states.contains(state))
            && (!finalized || state.is_terminal())
    };
    let restricted = finalized || !selection.states.is_empty();
    restricted.then(|| JobState::ALL.iter().filter(named).copied().collect())
}

/// The parameters of every road but for the ids.
fn values(selection: &Selection, before: JobId, from: Option<JobId>, limit: usize) -> Vec<Value> {
    let Selection { kind, queue, tag, executor_class, error_class, created, finalized, .. } = selection;
    let states = &selection.states;
    let states = (!states.is_empty()).then(|| texts(states.iter().map(|state| state.as_str())));
    let text = |name: Option<&str>| Value::from(name.map(str::to_owned));
    vec![
        before.into(),
        from.unwrap_or_else(|| Uuid::nil().into()).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
        states.into(),
        text(kind.as_ref().map(|kind| kind.as_str())),
        text(queue.as_ref().map(|queue| queue.as_str())),
        text(tag.as_ref().map(|tag| tag.as_str())),
        text(executor_class.as_ref().map(|class| class.as_str())),
        selection.parent_id.into(),
        selection.root_id.into(),
        text(selection.schedule_slug.as_deref()),
        text(error_class.map(|class| class.as_str())),
        created.from.into(),
        created.before.into(),
        finalized.from.into(),
        finalized.before.into(),
    ]
}

fn ids(rows: Vec<Row>) -> Result<Vec<JobId>> {
    rows.into_iter().map(|mut row| row.id("id")).collect()
}

fn last(rows: &[Row]) -> Option<JobId> {
    rows.last().and_then(|row| row.clone().id("id").ok())
}

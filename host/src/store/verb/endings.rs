//! What follows the end of jobs: the one place for it, whoever ends them. A discard may enqueue a job, and the last child
//! to end fires its barrier.
//!
//! Whoever ends jobs calls [`follow`] last in the same transaction. Jobs are locked before barriers, each in the order of
//! their ids, so that nobody waits in a circle; but for a unique key
//! that two want at once, for which the database ends one of them, and it is done again.

use std::collections::{BTreeSet, HashMap};

use crate::event::Event;
use crate::job::{
    Discarded, ExecutorClass, JobId, JobState, Kind, Lineage, NewJob, OnDiscard, Queue, RunId, Timestamp,
};
use crate::store::batch::Wire;
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::value::Row;
use crate::store::{Inserted, Result};

use super::barrier;
use super::follow_ups::FEW;
use super::insert::Incoming;

/// A job that the end of others enqueued, or an order to run a schedule, as far as whoever is told of it needs to know.
#[derive(Clone, Debug)]
pub(super) struct Enqueued {
    pub(super) inserted: Inserted,
    pub(super) kind: Kind,
    pub(super) queue: Queue,
    pub(super) state: JobState,
    pub(super) due: Timestamp,
}

impl Enqueued {
    /// One that is about to be inserted.
    pub(super) fn of(job: &NewJob) -> Self {
        Self {
            inserted: Inserted::New(job.id),
            kind: job.kind.clone(),
            queue: job.queue.clone(),
            state: job.state,
            due: job.scheduled_at,
        }
    }

    /// What became of it.
    pub(super) fn answered(self, answers: &HashMap<JobId, Inserted>) -> Self {
        let id = self.inserted.id();
        // Of one that nothing is known of this much is: it was not inserted.
        Self { inserted: answers.get(&id).copied().unwrap_or(Inserted::Duplicate(id)), ..self }
    }
}

/// A transaction in which jobs end.
#[derive(Clone, Debug)]
pub(super) struct Endings {
    pub(super) wire: Wire,
    pub(super) statements: Statements,
    pub(super) now: Timestamp,
}

impl Endings {
    pub(super) fn of<D: Dialect>(db: &D, now: Timestamp) -> Self {
        Self { wire: D::WIRE, statements: db.statements().clone(), now }
    }

    /// Enqueues what follows the end of these jobs, which ended in this transaction; answers what to ring for.
    pub(super) async fn follow(&self, session: &mut dyn Session, ended: &[JobId]) -> Done<Vec<Enqueued>> {
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let rows = session.run(self.statements.ended, vec![ended.into()]).await?;
        let (mut awaited_by, mut jobs) = (BTreeSet::new(), Vec::new());
        for mut row in rows {
            // What can't be read follows nothing, and keeps nobody's end from being stored.
            let Some(end) = readable(End::read(&mut row)) else { continue };
            if end.state.is_terminal() {
                awaited_by.extend(end.awaited_by);
                jobs.extend(end.discarded.and_then(|discarded| self.on_discard(discarded)));
            }
        }
        let mut enqueued: Vec<Enqueued> = jobs.iter().map(Enqueued::of).collect();
        if !jobs.is_empty() {
            let answers = Incoming::new(self.wire, FEW, jobs).insert(session, &self.statements).await?;
            enqueued = enqueued.into_iter().map(|job| job.answered(&answers)).collect();
        }
        let runs: Vec<RunId> = awaited_by.into_iter().collect();
        enqueued.extend(barrier::fire(self, session, &runs).await?);
        Ok(enqueued)
    }

    fn on_discard(&self, (kept, of): (crate::job::Json, Discarded)) -> Option<NewJob> {
        let job = of.job;
        let follow = OnDiscard::follow(&kept, of, self.now);
        follow.inspect_err(|error| tracing::warn!(%job, error, "its on_discard can't be enqueued")).ok()
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(super) fn endings(&self, now: Timestamp) -> Endings {
        Endings::of(&*self.db, now)
    }

    /// Tells of what was enqueued, once that is durable; answers what to ring for.
    pub(super) fn tell_enqueued(&self, enqueued: Vec<Enqueued>) -> Vec<(JobState, Option<Timestamp>)> {
        let mut rings = Vec::with_capacity(enqueued.len());
        for Enqueued { inserted, kind, queue, state, due } in enqueued {
            let duplicate = match inserted {
                Inserted::New(_) => {
                    rings.push((state, Some(due)));
                    false
                }
                Inserted::Duplicate(_) => true,
            };
            self.events.emit(&Event::JobEnqueued { job: inserted.id(), kind, queue, duplicate });
        }
        rings
    }
}

/// The end of a job that something may follow.
struct End {
    state: JobState,
    awaited_by: Option<RunId>,
    discarded: Option<(crate::job::Json, Discarded)>,
}

impl End {
    fn read(row: &mut Row) -> Result<Self> {
        let state = row.word("state")?;
        let awaited_by = row.opt_id("awaited_by")?;
        let Some(kept) = row.opt_json("on_discard")? else {
            return Ok(Self { state, awaited_by, discarded: None });
        };
        let discarded = Discarded {
            job: row.id("id")?,
            run: row.opt_id("run")?,
            queue: row.name("queue", Queue::stored)?,
            executor_class: row.name("executor_class", ExecutorClass::stored)?,
            lineage: Lineage {
                root: row.opt_id("root_id")?,
                depth: u16::try_from(row.int::<i64>("depth")?).unwrap_or(0),
                ..Lineage::default()
            },
            metadata: row.json("metadata")?,
        };
        Ok(Self { state, awaited_by, discarded: Some((kept, discarded)) })
    }
}

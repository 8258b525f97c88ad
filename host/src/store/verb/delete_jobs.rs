//! Deleting the jobs of a batch of an order, inside its transaction: as retention does, runs and logs first and so many at
//! a time, and never what something still needs.

use std::collections::BTreeMap;

use crate::event::Event;
use crate::job::{JobId, Kind, Queue};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{Answer, Need, StoreError};

use super::prune;

/// How many jobs of a kind and queue have gone.
pub(super) type Gone = BTreeMap<(Kind, Queue), u64>;

/// What a transaction did of a deletion.
#[derive(Debug)]
pub(super) enum Deletion {
    /// All of it.
    Done {
        /// For each of the jobs.
        answers: BTreeMap<JobId, Answer>,
        /// Those that have gone.
        gone: Gone,
    },
    /// There was more of theirs than one transaction deletes: their jobs are still there.
    Part,
}

/// Deletes those of these jobs that nothing needs. They have ended, and are held.
pub(super) async fn delete_jobs(
    session: &mut dyn Session,
    statements: &Statements,
    jobs: &[JobId],
) -> Done<Deletion> {
    let (mut answers, mut gone) = (BTreeMap::new(), Gone::new());
    // In a new statement, so that it sees what was done by whoever held them before.
    for mut row in session.run(statements.doomed, vec![jobs.into()]).await? {
        let (id, needed_by): (JobId, Option<String>) = (row.id("id")?, row.opt_text("needed_by")?);
        let Some(word) = needed_by else {
            answers.insert(id, Answer::Deleted);
            let lane = (row.name("kind", Kind::stored)?, row.name("queue", Queue::stored)?);
            *gone.entry(lane).or_default() += 1;
            continue;
        };
        let by = Need::of(&word).ok_or(StoreError::Unreadable { what: "what needs a job", found: word })?;
        answers.insert(id, Answer::Needed { by });
    }
    let going: Vec<JobId> =
        answers.iter().filter(|(_, answer)| **answer == Answer::Deleted).map(|(id, _)| *id).collect();
    if going.is_empty() || prune::delete(session, statements, &going).await?.jobs > 0 {
        return Ok(Deletion::Done { answers, gone });
    }
    Ok(Deletion::Part)
}

impl<D: Dialect> SqlStore<D> {
    pub(super) fn tell_deleted(&self, gone: Gone) {
        for ((kind, queue), count) in gone {
            self.events.emit(&Event::JobsPruned { kind, queue, count });
        }
    }
}

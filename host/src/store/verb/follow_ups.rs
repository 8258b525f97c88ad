//! The jobs that attempts asked for: inserted in the transaction that completes them, or not at all.

use std::collections::HashMap;

use crate::job::{JobId, NewJob, RunId, Settlement};
use crate::store::Inserted;
use crate::store::batch::{Wire, join};
use crate::store::dialect::{Dialect, Outcome as Done, Settling};
use crate::store::sql_store::SqlStore;

use super::finalize::{Answers, advanced};
use super::insert::Encoded;
use super::settling::Moved;

/// What the attempts of a batch asked for.
pub(super) struct Wanted {
    wire: Wire,
    by_run: HashMap<RunId, Vec<NewJob>>,
}

impl Wanted {
    pub(super) fn new(wire: Wire, part: &[Settlement]) -> Self {
        let asked = part.iter().filter(|settlement| !settlement.follow_ups.is_empty());
        Self { wire, by_run: asked.map(|s| (s.run, s.follow_ups.clone())).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_run.is_empty()
    }

    /// The jobs of those attempts that did move.
    fn of(&self, moved: &[Moved]) -> Vec<NewJob> {
        let runs = moved.iter().filter_map(|moved| self.by_run.get(&moved.run));
        runs.flatten().cloned().collect()
    }

    fn answers(&self, run: RunId, inserted: &HashMap<JobId, Inserted>) -> Vec<Inserted> {
        let jobs = self.by_run.get(&run).map(Vec::as_slice).unwrap_or_default();
        jobs.iter().map(|job| answer(job, inserted)).collect()
    }

    fn counts(&self, moved: &[Moved], inserted: &HashMap<JobId, Inserted>) -> Vec<String> {
        let counts = moved.iter().filter(|moved| self.by_run.contains_key(&moved.run)).map(|moved| {
            let answers = self.answers(moved.run, inserted);
            let new = answers.iter().filter(|answer| matches!(answer, Inserted::New(_))).count();
            self.wire.item(|fields| {
                fields.id("run", moved.run.uuid());
                fields.number("children", new);
            })
        });
        counts.collect()
    }
}

fn answer(job: &NewJob, inserted: &HashMap<JobId, Inserted>) -> Inserted {
    // If nobody holds the key any more that was taken then, all that is known is that this was not inserted.
    inserted.get(&job.id).copied().unwrap_or(Inserted::Duplicate(job.id))
}

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn move_on_with_follow_ups(&self, settling: Settling, wanted: Wanted) -> Done<Answers> {
        let (db, statements) = (self.db.clone(), self.db.statements().clone());
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                let rows = db.settle(s, &settling).await?;
                let moved = rows.into_iter().map(|row| Ok(Moved::read(row)?)).collect::<Done<Vec<_>>>()?;
                let jobs = wanted.of(&moved);
                let inserted = Encoded::new(D::WIRE, &jobs).insert(s, &statements).await?;
                let counts = wanted.counts(&moved, &inserted);
                if !counts.is_empty() {
                    s.run(statements.children, vec![join(&counts).into()]).await?;
                }
                let answers: Answers = moved
                    .into_iter()
                    .map(|moved| advanced(moved, wanted.answers(moved.run, &inserted)))
                    .collect();
                Ok((answers, jobs, inserted))
            })
        });
        let (answers, jobs, inserted) = work.await?;
        let new = jobs.iter().filter(|job| inserted.get(&job.id) == Some(&Inserted::New(job.id)));
        self.ring_for(new.map(|job| (job.state, Some(job.scheduled_at))));
        Ok(answers)
    }

    /// What became of the follow-ups of an attempt that was settled at an earlier try.
    pub(super) async fn find_follow_ups(&self, settlement: &Settlement) -> Done<Vec<Inserted>> {
        if settlement.follow_ups.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = Encoded::new(D::WIRE, &settlement.follow_ups);
        let statements = self.db.statements().clone();
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                let mut found = HashMap::new();
                encoded.find(s, &statements, &mut found).await?;
                Ok(found)
            })
        });
        let found = work.await?;
        Ok(settlement.follow_ups.iter().map(|job| answer(job, &found)).collect())
    }
}

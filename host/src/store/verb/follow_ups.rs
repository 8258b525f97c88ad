//! What goes with the end of attempts in one transaction: the jobs that they asked for, their barriers, their checkpoints,
//! and what the end of their jobs enqueues; all of it, or nothing.

use std::collections::{HashMap, HashSet};

use crate::job::{CheckpointEnd, JobId, JobState, NewJob, RunId, Sequel, SettledBy, Settlement, Timestamp};
use crate::store::Inserted;
use crate::store::batch::{Size, Wire, join};
use crate::store::dialect::{Dialect, Outcome as Done, Session, Settling};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;

use super::endings::Enqueued;
use super::family::{self, Families};
use super::finalize::{Answers, advanced};
use super::insert::{self, Incoming};
use super::settling::{self, Moved};
use super::{barrier, checkpoint};

/// One statement of them, and as many as are settled together: more would hold rows, and on SQLite the one writer, for
/// as long as many others wait.
pub(super) const FEW: Size = Size { items: 1000, bytes: 2 << 20 };

/// How much the follow-ups of an attempt are, by the measures of [`FEW`].
pub(super) fn weight(settlement: &Settlement) -> [usize; 2] {
    let jobs = &settlement.follow_ups;
    [jobs.len(), jobs.iter().map(insert::weight).sum()]
}

/// An attempt on its way, in the form that the statements take.
struct Attempt {
    run: RunId,
    job: JobId,
    item: String,
    /// The item instead, should its follow-ups be refused.
    refused: String,
    follow_ups: Vec<NewJob>,
    barrier: Option<Box<NewJob>>,
    checkpoint: CheckpointEnd,
    sequel: Sequel,
}

impl Attempt {
    /// Whether something may follow the end of its job, which went to this state.
    fn is_followed(&self, state: JobState) -> bool {
        state.is_terminal() && (self.sequel.awaited || self.sequel.on_discard && state == JobState::Discarded)
    }
}

/// The attempts of a part of a batch, some of which asked for jobs.
pub(super) struct Wanted {
    wire: Wire,
    attempts: Vec<Attempt>,
    families: Families,
}

impl Wanted {
    pub(super) fn new(wire: Wire, part: &[&Settlement], items: &[String], most: u32) -> Self {
        let why = family::refusal(most);
        let attempt = |(settlement, item): (&&Settlement, &String)| Attempt {
            run: settlement.run,
            job: settlement.job,
            item: item.clone(),
            refused: if settlement.follow_ups.is_empty() {
                String::new()
            } else {
                settling::refused(wire, settlement, &why)
            },
            follow_ups: settlement.follow_ups.clone(),
            barrier: settlement.barrier.clone(),
            checkpoint: settlement.checkpoint.clone(),
            sequel: settlement.sequel,
        };
        let attempts = part.iter().zip(items).map(attempt).collect();
        Self { wire, attempts, families: Families::new(part.iter().copied(), most) }
    }

    /// Those that ask for more than their families may have are kept as failed.
    async fn refuse(&mut self, session: &mut dyn Session, statements: &Statements) -> Done<()> {
        let growing = self.families.growing();
        if growing.is_empty() {
            return Ok(());
        }
        let values = vec![growing.as_slice().into(), self.families.most().into()];
        let mut unfinished = HashMap::with_capacity(growing.len());
        for mut row in session.run(statements.families, values).await? {
            unfinished.insert(row.id("root")?, row.int("unfinished")?);
        }
        let refused = self.families.refused(unfinished);
        for attempt in self.attempts.iter_mut().filter(|attempt| refused.contains(&attempt.run)) {
            tracing::warn!(run = %attempt.run, "an attempt asked for more jobs than its family may have");
            attempt.item = std::mem::take(&mut attempt.refused);
            attempt.follow_ups.clear();
            (attempt.barrier, attempt.checkpoint) = (None, CheckpointEnd::Left);
        }
        Ok(())
    }

    fn batch(&self) -> std::sync::Arc<str> {
        join(self.attempts.iter().map(|attempt| &attempt.item)).into()
    }

    /// The jobs of those attempts that did move.
    fn of(&self, moved: &HashSet<RunId>) -> Vec<NewJob> {
        let attempts = self.attempts.iter().filter(|attempt| moved.contains(&attempt.run));
        attempts.flat_map(|attempt| attempt.follow_ups.iter().cloned()).collect()
    }

    /// What became of the follow-ups of each attempt.
    fn answers(&self, inserted: &HashMap<JobId, Inserted>) -> HashMap<RunId, Vec<Inserted>> {
        let answers = self.attempts.iter().map(|attempt| {
            (attempt.run, attempt.follow_ups.iter().map(|job| answer(job, inserted)).collect())
        });
        answers.collect()
    }

    /// The barriers of those attempts that did move, and the runs whose barriers wait for nobody.
    fn barriers(
        &self,
        moved: &HashSet<RunId>,
        follow_ups: &HashMap<RunId, Vec<Inserted>>,
    ) -> (Vec<String>, Vec<RunId>) {
        let set = self.attempts.iter().filter(|attempt| moved.contains(&attempt.run));
        let set = set.filter_map(|attempt| Some((attempt, attempt.barrier.as_deref()?)));
        let item =
            |(attempt, barrier): (&Attempt, _)| barrier::item(self.wire, attempt.run, attempt.job, barrier);
        let waits = |run: &RunId| {
            follow_ups.get(run).is_some_and(|jobs| jobs.iter().any(|job| matches!(job, Inserted::New(_))))
        };
        let free = set.clone().map(|(attempt, _)| attempt.run).filter(|run| !waits(run));
        (set.clone().map(item).collect(), free.collect())
    }

    /// The checkpoints of those attempts that did move.
    fn checkpoints(&self, moved: &HashSet<RunId>) -> Vec<(JobId, RunId, CheckpointEnd)> {
        let attempts = self.attempts.iter().filter(|attempt| moved.contains(&attempt.run));
        attempts.map(|attempt| (attempt.job, attempt.run, attempt.checkpoint.clone())).collect()
    }

    /// The jobs that have ended and that something may follow.
    fn ended(&self, moved: &[Moved]) -> Vec<JobId> {
        let states: HashMap<RunId, JobState> = moved.iter().map(|moved| (moved.run, moved.state)).collect();
        let followed =
            |attempt: &&Attempt| states.get(&attempt.run).is_some_and(|state| attempt.is_followed(*state));
        self.attempts.iter().filter(followed).map(|attempt| attempt.job).collect()
    }

    fn counts(&self, moved: &HashSet<RunId>, answers: &HashMap<RunId, Vec<Inserted>>) -> Vec<String> {
        let asked = answers.iter().filter(|(run, jobs)| moved.contains(run) && !jobs.is_empty());
        let counts = asked.map(|(run, jobs)| {
            let new = jobs.iter().filter(|answer| matches!(answer, Inserted::New(_))).count();
            self.wire.item(|fields| {
                fields.id("run", run.uuid());
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
    pub(super) async fn move_on_with_follow_ups(&self, mut wanted: Wanted, now: Timestamp) -> Done<Answers> {
        let (db, statements) = (self.db.clone(), self.db.statements().clone());
        let (endings, turnstile) = (self.endings(now), self.turnstile(now));
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                wanted.refuse(s, &statements).await?;
                let settling = Settling { batch: wanted.batch(), by: SettledBy::Owner, now };
                let rows = db.settle(s, &settling).await?;
                let moved = rows.into_iter().map(|row| Ok(Moved::read(row)?)).collect::<Done<Vec<_>>>()?;
                let runs: HashSet<RunId> = moved.iter().map(|moved| moved.run).collect();
                let jobs = wanted.of(&runs);
                let asked: Vec<Enqueued> = jobs.iter().map(Enqueued::of).collect();
                let inserted = Incoming::new(D::WIRE, FEW, jobs).insert(s, &statements).await?;
                let mut follow_ups = wanted.answers(&inserted);
                let counts = wanted.counts(&runs, &follow_ups);
                if !counts.is_empty() {
                    s.run(statements.children, vec![join(&counts).into()]).await?;
                }
                let (barriers, free) = wanted.barriers(&runs, &follow_ups);
                barrier::set(&endings, s, barriers).await?;
                checkpoint::end(s, &statements, wanted.checkpoints(&runs), now).await?;
                let mut enqueued: Vec<_> = asked.into_iter().map(|job| job.answered(&inserted)).collect();
                enqueued.extend(endings.follow(s, &wanted.ended(&moved)).await?);
                enqueued.extend(barrier::fire(&endings, s, &free).await?);
                let answer =
                    |moved: Moved| advanced(moved, follow_ups.remove(&moved.run).unwrap_or_default());
                let answers: Answers = moved.into_iter().map(answer).collect();
                Ok((answers, enqueued, turnstile.turn(s).await?))
            })
        });
        let (answers, enqueued, turned) = work.await?;
        self.ring_for_turned(turned);
        let rings = self.tell_enqueued(enqueued);
        self.ring_for(rings);
        Ok(answers)
    }

    /// What became of the follow-ups of an attempt that was settled at an earlier try.
    pub(super) async fn find_follow_ups(&self, settlement: &Settlement) -> Done<Vec<Inserted>> {
        if settlement.follow_ups.is_empty() {
            return Ok(Vec::new());
        }
        let incoming = Incoming::new(D::WIRE, FEW, settlement.follow_ups.clone());
        let statements = self.db.statements().clone();
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                let mut found = HashMap::new();
                incoming.find(s, &statements, &mut found).await?;
                Ok(found)
            })
        });
        let found = work.await?;
        Ok(settlement.follow_ups.iter().map(|job| answer(job, &found)).collect())
    }
}

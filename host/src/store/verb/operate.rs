//! What operators order. An order comes in batches, each a transaction that also records what it answers: a repeat is
//! answered what was recorded, and goes on with what was not.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::job::{JobId, Operation, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Session, Work};
use crate::store::fault::{Blame, Fault};
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::verb::delete_jobs::Gone;
use crate::store::verb::endings::Enqueued;
use crate::store::verb::find::{Columns, Part, newest};
use crate::store::verb::move_jobs::{Batch, Extent, Moved, move_jobs};
use crate::store::verb::turn::{Turned, Turnstile};
use crate::store::{
    ActionFilter, ActionRecord, Answer, Order, Result, Selection, Step, StoreError, Survey, Tally, records,
};
use crate::wake::Line;

const DOING: &str = "carrying out an order";
/// How often a batch is begun anew that lost a race for a key.
const ROUNDS: usize = 3;
/// The most jobs of a batch.
const BATCH: usize = 1000;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn order_for(
        &self,
        order: &Order,
        jobs: &[JobId],
        now: Timestamp,
    ) -> Result<Vec<Answer>> {
        let mut answers = HashMap::with_capacity(jobs.len());
        // A batch is named by its first job: one that is named twice would stand for two batches.
        let mut named = HashSet::with_capacity(jobs.len());
        let once: Vec<JobId> = jobs.iter().copied().filter(|job| named.insert(*job)).collect();
        for jobs in once.chunks(BATCH) {
            let Some(name) = jobs.first() else { break };
            let batch = Batch { jobs: jobs.to_vec(), operation: order.operation, selection: None };
            answers.extend(self.carry_out(order, *name, batch, None, now).await?.answers);
        }
        Ok(jobs.iter().map(|job| answers.get(job).copied().unwrap_or(Answer::NotFound)).collect())
    }

    pub(in crate::store) async fn order_batch(
        &self,
        order: &Order,
        selection: &Selection,
        from: Option<JobId>,
        now: Timestamp,
    ) -> Result<Step> {
        let mut found = self.find(selection, Columns::State, Part::new(from, BATCH)).await?;
        let jobs = found.rows.iter_mut().map(|row| row.id("id")).collect::<Result<_>>()?;
        let selection = Some(selection.clone());
        let batch = Batch { jobs, operation: order.operation, selection };
        // Named by where it begins: a repeat follows the same chain of batches, whatever it would find now.
        let name = from.unwrap_or_else(newest);
        let record = self.carry_out(order, name, batch, found.next, now).await?;
        let mut tally = Tally::default();
        record.answers.into_iter().for_each(|(job, answer)| tally.count(job, answer));
        Ok(Step { tally, next: record.next })
    }

    pub(in crate::store) async fn survey_jobs(
        &self,
        selection: &Selection,
        from: Option<JobId>,
    ) -> Result<Survey> {
        let found = self.find(selection, Columns::State, Part::new(from, BATCH)).await?;
        let mut survey = Survey { next: found.next, ..Survey::default() };
        for mut row in found.rows {
            *survey.states.entry(row.word("state")?).or_default() += 1;
        }
        Ok(survey)
    }

    pub(in crate::store) async fn read_actions(&self, filter: &ActionFilter) -> Result<Vec<ActionRecord>> {
        let values = vec![filter.since.into(), filter.limit.clamp(1, 1000).into()];
        let rows = self.ask(self.db.statements().actions, values, "reading what operators ordered").await?;
        Ok(rows.into_iter().filter_map(|row| readable(records::action(row))).collect())
    }

    /// Carries out one batch of an order, and records what it answers, in one transaction; or reads what was recorded.
    async fn carry_out(
        &self,
        order: &Order,
        name: JobId,
        batch: Batch,
        next: Option<JobId>,
        now: Timestamp,
    ) -> Result<Record> {
        let mut round = 1;
        loop {
            let (db, order, batch) = (self.db.clone(), order.clone(), batch.clone());
            let deletes = order.operation == Operation::Delete;
            let work = transaction(move |session| {
                Box::pin(async move {
                    let entry = Entry { order: &order, name, asked: batch.asked(), about: batch.about() };
                    carry_out_batch(&*db, session, &entry, &batch, next, now).await
                })
            });
            let transaction = if deletes { self.db.prune(work).await } else { self.db.transact(work).await };
            match transaction {
                // Somebody took a key meanwhile, or a deadlock: nothing was done.
                Err(fault) if round < ROUNDS && (fault.is_duplicate() || fault.blame() == Blame::Race) => {
                    round += 1;
                }
                Ok(Carried::Part) => {}
                Ok(Carried::Whole { record, enqueued, gone, turned }) => {
                    self.ring_for_turned(turned);
                    self.ring_for_answers(&record.answers, now);
                    self.tell_deleted(gone);
                    let rings = self.tell_enqueued(enqueued);
                    self.ring_for(rings);
                    return Ok(record);
                }
                Err(fault) => return Err(fault.told(DOING)),
            }
        }
    }

    fn ring_for_answers(&self, answers: &[(JobId, Answer)], now: Timestamp) {
        if answers.iter().any(|(_, answer)| *answer == Answer::Requested) {
            self.bell.ring(Line::Cancel);
        }
        let moved = |(_, answer): &(JobId, Answer)| match answer {
            // The promoter looks for itself when it is due.
            Answer::Moved { state } => Some((*state, Some(now))),
            Answer::Requested
            | Answer::Left { .. }
            | Answer::KeyTaken { .. }
            | Answer::Deleted
            | Answer::Needed { .. }
            | Answer::NotFound => None,
        };
        self.ring_for(answers.iter().filter_map(moved));
    }
}

/// What one transaction did of a batch.
enum Carried {
    Whole {
        record: Record,
        enqueued: Vec<Enqueued>,
        gone: Gone,
        turned: Turned,
    },
    /// There is more to be deleted than one transaction does.
    Part,
}

/// The work of a transaction, as the compiler wants to be told.
fn transaction<T, W: Work<T>>(work: W) -> W {
    work
}

/// Carries out one batch and records what it answers, or reads what was recorded; inside its transaction.
async fn carry_out_batch<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    entry: &Entry<'_>,
    batch: &Batch,
    next: Option<JobId>,
    now: Timestamp,
) -> Done<Carried> {
    let statements = db.statements();
    if !entry.begin(session, statements, now).await? {
        let record = entry.recorded(session, statements).await?;
        let (gone, turned) = (Gone::new(), Turned::default());
        return Ok(Carried::Whole { record, enqueued: Vec::new(), gone, turned });
    }
    let Moved { answers, enqueued, gone, extent } = move_jobs(db, session, batch, now).await?;
    if extent == Extent::Part {
        // Nothing of it is answered yet: whoever comes next finds the order not given, and goes on.
        entry.leave(session, statements).await?;
        return Ok(Carried::Part);
    }
    let answers: Vec<_> = answers.into_iter().collect();
    if answers.iter().any(|(_, answer)| *answer == Answer::Requested) {
        db.announce_inside(session, Line::Cancel).await?;
    }
    let record = Record { asked: batch.asked(), answers, next };
    entry.keep(session, statements, &record).await?;
    let turned = Turnstile::of(db, now).turn(session).await?;
    Ok(Carried::Whole { record, enqueued, gone, turned })
}

/// What a batch came to, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    asked: serde_json::Value,
    answers: Vec<(JobId, Answer)>,
    /// Where the order goes on.
    next: Option<JobId>,
}

/// The entry of a batch in the book of orders.
struct Entry<'o> {
    order: &'o Order,
    name: JobId,
    asked: serde_json::Value,
    /// The same for whoever reads the book.
    about: serde_json::Value,
}

impl Entry<'_> {
    /// Enters the batch; not if it was given before.
    async fn begin(&self, session: &mut dyn Session, statements: &Statements, now: Timestamp) -> Done<bool> {
        let Order { action, who, operation } = self.order;
        let what = operation.name();
        let values = vec![(*action).into(), self.name.into(), who.clone().into(), now.into(), what.into()];
        Ok(!session.run(statements.action_begin, values).await?.is_empty())
    }

    async fn recorded(&self, session: &mut dyn Session, statements: &Statements) -> Done<Record> {
        let values = vec![self.order.action.into(), self.name.into()];
        let rows = session.run(statements.action_read, values).await?;
        let mut row = rows.into_iter().next().ok_or(Fault::Database(sqlx::Error::RowNotFound))?;
        let (what, answer) = (row.text("what")?, row.text("answer")?);
        let record: Record = serde_json::from_str(&answer)
            .map_err(|_| StoreError::Unreadable { what: "the answer of an order", found: answer })?;
        if record.asked == self.asked {
            return Ok(record);
        }
        Err(StoreError::OtherOrder { action: self.order.action, what }.into())
    }

    async fn leave(&self, session: &mut dyn Session, statements: &Statements) -> Done<()> {
        let values = vec![self.order.action.into(), self.name.into()];
        session.run(statements.action_leave, values).await.map(drop)
    }

    async fn keep(&self, session: &mut dyn Session, statements: &Statements, record: &Record) -> Done<()> {
        let answer = serde_json::to_string(record).unwrap_or_default();
        let mut tally = Tally::default();
        record.answers.iter().for_each(|(job, answer)| tally.count(*job, *answer));
        let (changed, untouched) = (tally.changed(), tally.untouched());
        let values = vec![
            self.order.action.into(),
            self.name.into(),
            answer.into(),
            i64::try_from(changed).unwrap_or(i64::MAX).into(),
            i64::try_from(untouched).unwrap_or(i64::MAX).into(),
            self.about.to_string().into(),
        ];
        session.run(statements.action_answer, values).await.map(drop)
    }
}

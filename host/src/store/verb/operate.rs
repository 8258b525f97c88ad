//! What operators order. An order is carried out once: a repeat is answered what was recorded.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::job::{JobId, JobState, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Ring, Session};
use crate::store::fault::{Blame, Fault};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{CancelAnswer, Order, Result, RetryAnswer, StoreError};
use crate::wake::Line;

use super::endings::{Endings, Enqueued};

/// How often an order is begun anew that lost a race for a key.
const ROUNDS: usize = 3;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn cancel_jobs(
        &self,
        order: &Order,
        jobs: &[JobId],
        now: Timestamp,
    ) -> Result<Vec<CancelAnswer>> {
        let db = self.db.clone();
        let answers = self.carry_out(order, "cancel", jobs, now, move |session, jobs, statements| {
            let db = db.clone();
            Box::pin(async move {
                let answers = cancel(session, &jobs, &statements, now).await?;
                let cancelled = answers.iter().filter(|(_, answer)| **answer == CancelAnswer::Cancelled);
                let cancelled: Vec<JobId> = cancelled.map(|(job, _)| *job).collect();
                let enqueued = Endings::of(&*db, now).follow(session, &cancelled).await?;
                if answers.values().any(|answer| *answer == CancelAnswer::Requested) {
                    db.announce_inside(session, Line::Cancel).await?;
                }
                Ok((answers, enqueued))
            })
        });
        let (answers, enqueued) = answers.await.map_err(|fault| fault.told("cancelling jobs"))?;
        self.ring_for(enqueued);
        if answers.values().any(|answer| *answer == CancelAnswer::Requested) {
            self.bell.ring(Line::Cancel);
        }
        Ok(jobs.iter().map(|job| answers.get(job).copied().unwrap_or(CancelAnswer::NotFound)).collect())
    }

    pub(in crate::store) async fn retry_jobs(
        &self,
        order: &Order,
        jobs: &[JobId],
        now: Timestamp,
    ) -> Result<Vec<RetryAnswer>> {
        let answers = self.carry_out(order, "retry", jobs, now, move |session, jobs, statements| {
            Box::pin(async move { Ok((retry(session, &jobs, &statements, now).await?, Vec::new())) })
        });
        let (answers, _) = answers.await.map_err(|fault| fault.told("retrying jobs"))?;
        if answers.values().any(|answer| *answer == RetryAnswer::Available) {
            self.ring(Ring::Work);
        }
        Ok(jobs.iter().map(|job| answers.get(job).copied().unwrap_or(RetryAnswer::NotFound)).collect())
    }

    /// Carries out an order for a batch of jobs, and records what it answers, in one transaction.
    async fn carry_out<A>(
        &self,
        order: &Order,
        what: &'static str,
        jobs: &[JobId],
        now: Timestamp,
        work: impl Operation<A>,
    ) -> Done<Carried<A>>
    where
        A: Copy + Send + Sync + Serialize + DeserializeOwned + 'static,
    {
        let Some(batch) = jobs.first().copied() else { return Ok((HashMap::new(), Vec::new())) };
        let mut round = 1;
        loop {
            let (jobs, order, work) = (jobs.to_vec(), order.clone(), work.clone());
            let statements = self.db.statements().clone();
            let transaction = self.db.transact(move |s| {
                Box::pin(async move {
                    let begin =
                        vec![order.action.into(), batch.into(), order.who.into(), now.into(), what.into()];
                    if s.run(statements.action_begin, begin).await?.is_empty() {
                        let answers = recorded(s, &statements, order.action.into(), batch, what).await?;
                        return Ok((answers, Vec::new()));
                    }
                    let (answers, enqueued) = work(&mut *s, jobs, statements.clone()).await?;
                    let answer =
                        serde_json::to_string(&answers.iter().collect::<Vec<_>>()).unwrap_or_default();
                    let keep = vec![order.action.into(), batch.into(), answer.into()];
                    s.run(statements.action_answer, keep).await?;
                    Ok((answers, enqueued))
                })
            });
            match transaction.await {
                // Somebody took a key meanwhile, or a deadlock: nothing was done.
                Err(fault) if round < ROUNDS && (fault.is_duplicate() || fault.blame() == Blame::Race) => {
                    round += 1
                }
                answer => return answer,
            }
        }
    }
}

/// What an order came to by job, and what followed the end of some.
type Carried<A> = (HashMap<JobId, A>, Vec<Enqueued>);

/// What is done to the jobs of an order, inside its transaction; it may have to be done more than once.
trait Operation<A>:
    for<'s> Fn(
        &'s mut dyn Session,
        Vec<JobId>,
        Statements,
    ) -> futures::future::BoxFuture<'s, Done<Carried<A>>>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<A, F> Operation<A> for F where
    F: for<'s> Fn(
            &'s mut dyn Session,
            Vec<JobId>,
            Statements,
        ) -> futures::future::BoxFuture<'s, Done<Carried<A>>>
        + Clone
        + Send
        + Sync
        + 'static
{
}

async fn recorded<A: DeserializeOwned>(
    session: &mut dyn Session,
    statements: &Statements,
    action: crate::store::value::Value,
    batch: JobId,
    what: &'static str,
) -> Done<HashMap<JobId, A>> {
    let rows = session.run(statements.action_read, vec![action, batch.into()]).await?;
    let mut row = rows.into_iter().next().ok_or(Fault::Database(sqlx::Error::RowNotFound))?;
    let (ordered, answer) = (row.text("what")?, row.text("answer")?);
    let answers: Option<Vec<(JobId, A)>> = serde_json::from_str(&answer).ok();
    match answers {
        Some(answers) if ordered == what => Ok(answers.into_iter().collect()),
        Some(_) | None => {
            let found = format!("{ordered} {answer}");
            Err(StoreError::Unreadable { what: "the answer of an order", found }.into())
        }
    }
}

/// The states of the jobs, held until the transaction ends.
async fn lock(
    session: &mut dyn Session,
    jobs: &[JobId],
    statements: &Statements,
) -> Done<Vec<(JobId, JobState)>> {
    let rows = session.run(statements.jobs_lock, vec![jobs.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.id("id")?, row.word("state")?))).collect()
}

async fn cancel(
    session: &mut dyn Session,
    jobs: &[JobId],
    statements: &Statements,
    now: Timestamp,
) -> Done<HashMap<JobId, CancelAnswer>> {
    let states = lock(session, jobs, statements).await?;
    let answers: HashMap<_, _> = states.into_iter().map(|(job, state)| (job, answer_cancel(state))).collect();
    for (answer, statement) in [
        (CancelAnswer::Cancelled, statements.cancel_waiting),
        (CancelAnswer::Requested, statements.cancel_running),
    ] {
        if answers.values().any(|given| *given == answer) {
            session.run(statement, vec![jobs.into(), now.into()]).await?;
        }
    }
    Ok(answers)
}

const fn answer_cancel(state: JobState) -> CancelAnswer {
    match state {
        JobState::Available | JobState::Scheduled | JobState::Retryable | JobState::Paused => {
            CancelAnswer::Cancelled
        }
        JobState::Running => CancelAnswer::Requested,
        JobState::Succeeded | JobState::Cancelled | JobState::Discarded => CancelAnswer::Ended(state),
    }
}

async fn retry(
    session: &mut dyn Session,
    jobs: &[JobId],
    statements: &Statements,
    now: Timestamp,
) -> Done<HashMap<JobId, RetryAnswer>> {
    let states = lock(session, jobs, statements).await?;
    let rows = session.run(statements.retry, vec![jobs.into(), now.into()]).await?;
    let moved: HashSet<JobId> = rows.into_iter().map(|mut row| row.id("id")).collect::<Result<_>>()?;
    let mut answers = HashMap::with_capacity(states.len());
    let mut left = Vec::new();
    for (job, state) in states {
        match state {
            _ if moved.contains(&job) => answers.insert(job, RetryAnswer::Available),
            JobState::Running => answers.insert(job, RetryAnswer::Running),
            JobState::Succeeded => answers.insert(job, RetryAnswer::Succeeded),
            JobState::Paused => answers.insert(job, RetryAnswer::Paused),
            JobState::Available
            | JobState::Scheduled
            | JobState::Retryable
            | JobState::Cancelled
            | JobState::Discarded => {
                left.push(job);
                None
            }
        };
    }
    if !left.is_empty() {
        for mut row in session.run(statements.retry_holders, vec![left.as_slice().into()]).await? {
            answers.insert(row.id("id")?, RetryAnswer::KeyTaken(row.id("holder")?));
        }
    }
    Ok(answers)
}

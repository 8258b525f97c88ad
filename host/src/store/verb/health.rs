//! What is read of how queues, batches and attempts fare.

use std::collections::BTreeMap;

use crate::job::{JobId, JobRecord, JobState, LogRecord, Queue, RunId, RunRecord, Timestamp};
use crate::store::dialect::Dialect;
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::value::Row;
use crate::store::{
    Ahead, BatchProgress, FailureFilter, FailureRecord, Health, LogPart, QueueHealth, Result, records,
};

/// As many jobs are looked at for failures, of those given up last and of those due next.
const LOOKED_AT: u32 = 10_000;
/// The word for what is available and waits for something else than a slot.
const BLOCKED: &str = "blocked";

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn read_health(&self, now: Timestamp) -> Result<Health> {
        let rows = self.ask(self.db.statements().health, vec![now.into()], "reading the queues").await?;
        let mut queues = BTreeMap::new();
        let mut overall = QueueHealth::empty();
        for row in rows {
            let Some((queue, part)) = readable(Part::read(row)) else { continue };
            part.count(queues.entry(queue).or_insert_with(QueueHealth::empty), now);
            part.count(&mut overall, now);
        }
        Ok(Health { overall, queues, sampled_at: now })
    }

    pub(in crate::store) async fn read_batch(
        &self,
        parent: JobId,
        run: Option<RunId>,
        now: Timestamp,
    ) -> Result<BatchProgress> {
        let values = vec![parent.into(), run.into()];
        let rows = self.ask(self.db.statements().batch, values, "reading the children of a job").await?;
        let mut states: BTreeMap<_, u64> = JobState::ALL.iter().map(|state| (*state, 0)).collect();
        let mut oldest = None::<Timestamp>;
        for mut row in rows {
            let (state, created): (JobState, _) = (row.word("state")?, row.time("oldest")?);
            states.insert(state, row.int("n")?);
            if !state.is_terminal() {
                oldest = Some(oldest.map_or(created, |oldest| oldest.min(created)));
            }
        }
        let total = states.values().sum();
        let ended = states.iter().filter(|(state, _)| state.is_terminal());
        let terminal = ended.map(|(_, count)| count).sum();
        let oldest_pending_age = oldest.map(|oldest| now.since(oldest));
        let pending = total - terminal;
        Ok(BatchProgress { states, total, terminal, pending, oldest_pending_age, sampled_at: now })
    }

    pub(in crate::store) async fn read_failures(&self, filter: &FailureFilter) -> Result<Vec<FailureRecord>> {
        let kind = filter.kind.as_ref().map(ToString::to_string);
        let limit = filter.limit.clamp(1, 1000);
        let values = vec![filter.since.into(), kind.into(), limit.into(), LOOKED_AT.into()];
        let rows = self.ask(self.db.statements().failures, values, "reading what failed").await?;
        Ok(rows.into_iter().filter_map(|row| readable(records::failure(row))).collect())
    }

    pub(in crate::store) async fn read_run(&self, id: RunId) -> Result<Option<RunRecord>> {
        let rows = self.ask(self.db.statements().run, vec![id.into()], "reading a run").await?;
        rows.into_iter().next().map(records::run).transpose()
    }

    pub(in crate::store) async fn read_last_run(&self, job: JobId) -> Result<Option<RunRecord>> {
        let statement = self.db.statements().last_run;
        let rows = self.ask(statement, vec![job.into()], "reading the newest run of a job").await?;
        rows.into_iter().next().map(records::run).transpose()
    }

    pub(in crate::store) async fn count_ahead(&self, job: &JobRecord, most: u32) -> Result<Ahead> {
        let values = vec![
            job.queue.as_str().into(),
            job.kind.as_str().into(),
            job.executor_class.as_str().into(),
            u32::from(job.priority).into(),
            job.scheduled_at.into(),
            job.id.into(),
            // One more than is told, to know whether there are more.
            most.saturating_add(1).into(),
        ];
        let rows = self.ask(self.db.statements().ahead, values, "counting what comes before a job").await?;
        let counted = rows.into_iter().next().map_or(Ok(0), |mut row| row.int("n"))?;
        Ok(Ahead { jobs: counted.min(most), more: counted > most })
    }

    pub(in crate::store) async fn read_log(&self, run: RunId, part: LogPart) -> Result<Vec<LogRecord>> {
        let statements = self.db.statements();
        let (statement, values) = match part {
            LogPart::After { seq, limit } => {
                (statements.log, vec![run.into(), seq.map_or(-1, i64::from).into(), limit.into()])
            }
            LogPart::Last(limit) => (statements.log_tail, vec![run.into(), limit.into()]),
        };
        let rows = self.ask(statement, values, "reading the log of a run").await?;
        let mut lines: Vec<_> = rows.into_iter().filter_map(|row| readable(records::log(row))).collect();
        if let LogPart::Last(_) = part {
            lines.reverse();
        }
        Ok(lines)
    }
}

/// The jobs of a queue in one state.
#[derive(Clone, Copy)]
struct Part {
    /// None for those that are blocked.
    state: Option<JobState>,
    count: u64,
    ahead: u64,
    oldest: Option<Timestamp>,
}

impl Part {
    fn read(mut row: Row) -> Result<(Queue, Self)> {
        let queue = row.name("queue", Queue::stored)?;
        let word = row.text("state")?;
        let state = if word == BLOCKED { None } else { Some(records::state(&word)?) };
        let (count, ahead) = (row.int("n")?, row.int("ahead")?);
        Ok((queue, Self { state, count, ahead, oldest: row.opt_time("oldest")? }))
    }

    fn count(self, health: &mut QueueHealth, now: Timestamp) {
        let Self { state, count, ahead, oldest } = self;
        *health.states.entry(state.unwrap_or(JobState::Available)).or_default() += count;
        health.scheduled_ahead += ahead;
        match state {
            None => health.blocked += count,
            Some(JobState::Available) => {
                health.ready += count;
                health.oldest_ready_age = health.oldest_ready_age.max(oldest.map(|at| now.since(at)));
            }
            Some(JobState::Running) => health.in_flight += count,
            Some(
                JobState::Scheduled
                | JobState::Retryable
                | JobState::Paused
                | JobState::Succeeded
                | JobState::Cancelled
                | JobState::Discarded,
            ) => {}
        }
    }
}

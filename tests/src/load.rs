//! Jobs for a test: enqueued in bulk through the library, awaited, and audited run by run.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use flyball::Client;
use flyball::job::{InsertOpts, JobId, JobRecord, JobState, Kind, Outcome, RunRecord};
use flyball::store::JobFilter;

use crate::eventually;

/// Jobs per call: well within what one statement takes.
const CHUNK: usize = 500;

/// A number of jobs of one test.
pub struct Load {
    client: Client,
    ids: Vec<JobId>,
}

impl Load {
    /// Enqueues so many jobs of a kind, whose args the index decides; `change` may set more.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses.
    pub async fn enqueue(
        database: &str,
        kind: &str,
        count: usize,
        args: impl Fn(usize) -> serde_json::Value,
    ) -> Result<Self> {
        let client = Client::connect(database, "test").await.context("connect to enqueue")?;
        let kind = Kind::new(kind)?;
        let mut ids = Vec::with_capacity(count);
        for first in (0..count).step_by(CHUNK) {
            let now = client.clock().now();
            let opts = |index| InsertOpts::new(kind.clone(), args(index).to_string());
            let jobs = (first..count.min(first + CHUNK)).map(|index| (JobId::mint(now), opts(index)));
            let inserted = client.enqueue_many(jobs.collect()).await?;
            ids.extend(inserted.into_iter().map(flyball::store::Inserted::id));
        }
        Ok(Self { client, ids })
    }

    /// The jobs, in the order of enqueueing.
    #[must_use]
    pub fn ids(&self) -> &[JobId] {
        &self.ids
    }

    /// The client that enqueued them.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// How many jobs of the database are not terminal.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unfinished(&self) -> Result<u64> {
        let overview = self.client.overview().await?;
        Ok(overview.states.iter().filter(|(state, _)| !state.is_terminal()).map(|(_, count)| count).sum())
    }

    /// Waits until every job of the database is terminal.
    ///
    /// # Errors
    /// When that takes longer than the bound; the error shows the states.
    pub async fn finished(&self, bound: Duration) -> Result<()> {
        let finished =
            eventually(bound, "every job to end", async || self.unfinished().await.map(|n| n == 0)).await;
        match finished {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("states: {:?}", self.client.overview().await?.states))),
        }
    }

    /// One job with its runs, newest first.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn job(&self, id: JobId) -> Result<(JobRecord, Vec<RunRecord>)> {
        let job = self.client.job(id).await?.with_context(|| format!("job {id} is lost"))?;
        Ok((job, self.client.runs(id).await?))
    }

    /// Reads every job and all its runs.
    ///
    /// # Errors
    /// When a job is lost or the database does not answer.
    pub async fn audit(&self) -> Result<Audit> {
        let mut audit = Audit::default();
        for id in &self.ids {
            let (job, runs) = self.job(*id).await?;
            *audit.states.entry(job.state).or_default() += 1;
            for run in &runs {
                *audit.outcomes.entry(run.outcome).or_default() += 1;
            }
            audit.jobs.push((job, runs));
        }
        Ok(audit)
    }

    /// Every job of the database, this load's or not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn everything(&self) -> Result<Vec<JobRecord>> {
        Ok(self.client.list(&JobFilter { limit: 1000, ..JobFilter::default() }).await?)
    }
}

/// What became of a load.
#[derive(Debug, Default)]
pub struct Audit {
    /// Every job with its runs, newest first.
    pub jobs: Vec<(JobRecord, Vec<RunRecord>)>,
    /// Jobs by state.
    pub states: BTreeMap<JobState, usize>,
    /// Runs by outcome.
    pub outcomes: BTreeMap<Outcome, usize>,
}

impl Audit {
    /// Checks what must hold after losses: every job succeeded by exactly one run, all others are `crashed` or
    /// `released`, none was charged, and the attempts are numbered without a gap.
    ///
    /// # Errors
    /// Names the first job for which it does not hold.
    pub fn assert_each_succeeded_once(&self) -> Result<()> {
        for (job, runs) in &self.jobs {
            let seen = || format!("{job:?}\n{runs:?}");
            let successes = runs.iter().filter(|run| run.outcome == Outcome::Success).count();
            let harmless = |run: &RunRecord| {
                matches!(run.outcome, Outcome::Success | Outcome::Crashed | Outcome::Released)
            };
            ensure!(job.state == JobState::Succeeded, "not succeeded: {}", seen());
            ensure!(successes == 1, "{successes} successes: {}", seen());
            ensure!(runs.iter().all(harmless), "another outcome: {}", seen());
            ensure!(job.failures == 0, "charged: {}", seen());
            let numbers: Vec<u32> = runs.iter().rev().map(|run| run.attempt).collect();
            let expected: Vec<u32> = (1..=job.attempt).collect();
            ensure!(numbers == expected, "attempts {numbers:?}: {}", seen());
        }
        Ok(())
    }
}

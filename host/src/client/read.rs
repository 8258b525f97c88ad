//! How things stand.

use super::{Client, Result};
use crate::job::{JobId, JobRecord, JobState, Kind, LogRecord, RunId, RunRecord};
use crate::store::{
    BatchProgress, FailureFilter, FailureRecord, Health, JobFilter, KindRecord, KindWaiting, LogPart,
    NodeRecord, Overview, Selection,
};

impl Client {
    /// One job.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job(&self, id: JobId) -> Result<Option<JobRecord>> {
        Ok(self.store.job(id).await?)
    }

    /// Its runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runs(&self, job: JobId) -> Result<Vec<RunRecord>> {
        Ok(self.store.runs(job).await?)
    }

    /// One run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run(&self, id: RunId) -> Result<Option<RunRecord>> {
        Ok(self.store.run(id).await?)
    }

    /// The log of one run, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log(&self, run: RunId) -> Result<Vec<LogRecord>> {
        self.log_part(run, LogPart::ALL).await
    }

    /// A part of the log of one run, in order. The next part is after the last line of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log_part(&self, run: RunId, part: LogPart) -> Result<Vec<LogRecord>> {
        Ok(self.store.log(run, part).await?)
    }

    /// The newest children of a job, and at most so many: 1…1000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn children(&self, parent: JobId, limit: u32) -> Result<Vec<JobRecord>> {
        self.list(&JobFilter { selection: Selection::children(parent), before: None, limit }).await
    }

    /// The newest jobs of a kind that have not ended, with their args, and at most so many: 1…1000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished(&self, kind: &Kind, limit: u32) -> Result<Vec<JobRecord>> {
        let selection = Selection::kind(kind.clone()).in_states(JobState::UNFINISHED);
        self.list(&JobFilter { selection, before: None, limit }).await
    }

    /// How far the children of a job have come: all of them, or those that one of its runs asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn progress(&self, parent: JobId, run: Option<RunId>) -> Result<BatchProgress> {
        Ok(self.store.batch(parent, run, self.clock.now()).await?)
    }

    /// The newest failures: the last run of each job that was given up or waits for its next attempt. Of either sort ten
    /// thousand jobs are looked at, those given up last and those due next.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn failures(&self, filter: &FailureFilter) -> Result<Vec<FailureRecord>> {
        Ok(self.store.failures(filter).await?)
    }

    /// How the queues stand, at one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn health(&self) -> Result<Health> {
        Ok(self.store.health(self.clock.now()).await?)
    }

    /// The kinds with jobs to claim that no living node has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kinds_waiting(&self) -> Result<Vec<KindWaiting>> {
        let (overview, nodes) = (self.overview().await?, self.nodes().await?);
        let now = self.clock.now();
        Ok(overview.kinds_waiting(nodes.iter().filter(|node| node.is_alive(now))))
    }

    /// A page of jobs, newest first. If it has fewer than the limit, there are no more; else the next page is
    /// [before](JobFilter::before) its last job. Jobs that are enqueued meanwhile neither shift nor repeat others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>> {
        let limit = filter.limit.clamp(1, 1000);
        let (mut filter, mut jobs) = (filter.clone(), Vec::new());
        loop {
            filter.limit = limit - u32::try_from(jobs.len()).unwrap_or(limit);
            let page = self.store.page(&filter).await?;
            jobs.extend(page.jobs);
            match page.next {
                Some(next) if jobs.len() < limit as usize => filter.before = Some(next),
                Some(_) | None => return Ok(jobs),
            }
        }
    }

    /// How things stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(&self) -> Result<Overview> {
        Ok(self.store.overview(self.clock.now()).await?)
    }

    /// The nodes, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nodes(&self) -> Result<Vec<NodeRecord>> {
        Ok(self.store.nodes().await?)
    }

    /// The kinds that nodes have published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kinds(&self) -> Result<Vec<KindRecord>> {
        Ok(self.store.kinds().await?)
    }
}

//! How things stand.

use super::{Client, Result};
use crate::job::{JobId, JobRecord, LogRecord, RunId, RunRecord};
use crate::store::{JobFilter, KindRecord, NodeRecord, Overview};

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

    /// The log of one run, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log(&self, run: RunId) -> Result<Vec<LogRecord>> {
        Ok(self.store.log(run).await?)
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>> {
        Ok(self.store.list(filter).await?)
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

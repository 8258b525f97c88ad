//! Jobs that exist if and only if the caller's own transaction commits.

use super::{Client, Result};
use crate::job::{IntoInsertOpts, JobId, JobState, NewJob, Timestamp};
use crate::store::{Foreign, Inserted};

/// What is left to do when the transaction has committed.
#[must_use = "call `ring` after the commit: nodes that sleep learn of the job up to a second later otherwise"]
pub struct Wake {
    client: Client,
    jobs: Vec<NewJob>,
    inserted: Vec<Inserted>,
}

impl Wake {
    /// Wakes whoever waits for such a job. To be called after the commit, and not at all after a rollback.
    pub fn ring(self) {
        let Self { client, jobs, inserted } = self;
        let new = jobs.iter().zip(&inserted).filter(|(_, inserted)| matches!(inserted, Inserted::New(_)));
        let new: Vec<(JobState, Timestamp)> = new.map(|(job, _)| (job.state, job.scheduled_at)).collect();
        client.store.ring_for_inserted(&new);
        client.tell(jobs, &inserted);
    }
}

impl Client {
    /// Enqueues one job inside the caller's own transaction: it is there if and only if that commits.
    ///
    /// ```no_run
    /// # use flyball::{Client, job::InsertOpts};
    /// # async fn order(client: &Client, pool: &sqlx::PgPool, job: InsertOpts) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut tx = pool.begin().await?;
    /// sqlx::query("UPDATE orders SET paid = true").execute(&mut *tx).await?;
    /// let (_job, wake) = client.enqueue_in(&mut *tx, job).await?;
    /// tx.commit().await?;
    /// wake.ring();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::enqueue`], and when the connection does not lead to the database of the jobs. After a
    /// [`super::ClientError::Store`] the transaction is to be rolled back.
    pub async fn enqueue_in<'c>(
        &self,
        transaction: impl Into<Foreign<'c>>,
        job: impl IntoInsertOpts,
    ) -> Result<(Inserted, Wake)> {
        let id = JobId::mint(self.clock.now());
        let (inserted, wake) = self.enqueue_many_in(transaction, vec![(id, job)]).await?;
        Ok((inserted.into_iter().next().unwrap_or(Inserted::New(id)), wake))
    }

    /// As [`Client::enqueue_in`], for jobs under ids that the caller minted; answers in input order.
    ///
    /// # Errors
    /// As [`Client::enqueue_in`].
    pub async fn enqueue_many_in<'c, J: IntoInsertOpts>(
        &self,
        transaction: impl Into<Foreign<'c>>,
        jobs: Vec<(JobId, J)>,
    ) -> Result<(Vec<Inserted>, Wake)> {
        let jobs = self.admit(jobs).await?;
        let inserted = self.store.insert_in(transaction.into(), &jobs).await?;
        Ok((inserted.clone(), Wake { client: self.clone(), jobs, inserted }))
    }
}

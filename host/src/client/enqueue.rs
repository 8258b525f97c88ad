//! Jobs come in.

use super::{Client, Result};
use crate::event::Event;
use crate::job::{AdmitError, InsertOpts, JobId, NewJob};
use crate::store::Inserted;

impl Client {
    /// Enqueues one job, under an id that is minted here.
    ///
    /// # Errors
    /// [`ClientError::Admit`] names the field that can't be taken. After a [`ClientError::Store`] the job may be there:
    /// to be able to ask again, use [`Client::enqueue_as`].
    pub async fn enqueue(&self, opts: InsertOpts) -> Result<Inserted> {
        self.enqueue_as(JobId::mint(self.clock.now()), opts).await
    }

    /// Enqueues one job under an id that the caller minted. Repeated with the same id, it is the same job.
    ///
    /// # Errors
    /// As [`Client::enqueue`].
    pub async fn enqueue_as(&self, id: JobId, opts: InsertOpts) -> Result<Inserted> {
        let inserted = self.enqueue_many(vec![(id, opts)]).await?;
        // One job in, one answer out: the store answers in input order.
        Ok(inserted.into_iter().next().unwrap_or(Inserted::New(id)))
    }

    /// Enqueues jobs under ids that the caller minted; answers in input order. Repeated with the same ids, it is the
    /// same jobs.
    ///
    /// # Errors
    /// [`ClientError::Admit`] if any of them can't be taken: then none is.
    pub async fn enqueue_many(&self, jobs: Vec<(JobId, InsertOpts)>) -> Result<Vec<Inserted>> {
        let now = self.clock.now();
        let jobs: Vec<NewJob> =
            jobs.into_iter().map(|(id, opts)| opts.admit(id, now)).collect::<Result<_, AdmitError>>()?;
        let inserted = self.repeated(async || self.store.insert(&jobs).await).await?;
        for (job, inserted) in jobs.into_iter().zip(&inserted) {
            let duplicate = matches!(inserted, Inserted::Duplicate(_));
            let NewJob { kind, queue, .. } = job;
            self.events.emit(&Event::JobEnqueued { job: inserted.id(), kind, queue, duplicate });
        }
        Ok(inserted)
    }
}

//! Jobs come in.

use super::{Client, Result, request_id};
use crate::event::Event;
use crate::job::{IntoInsertOpts, JobId, NewJob};
use crate::store::Inserted;

impl Client {
    /// Enqueues one job, under an id that is minted here: typed args ([`crate::job::JobArgs`]) or
    /// [`crate::job::InsertOpts`].
    ///
    /// # Errors
    /// [`super::ClientError::Admit`] names the field that can't be taken. After a [`super::ClientError::Store`] the job
    /// may be there: to be able to ask again, use [`Client::enqueue_as`].
    pub async fn enqueue(&self, job: impl IntoInsertOpts) -> Result<Inserted> {
        self.enqueue_as(JobId::mint(self.clock.now()), job).await
    }

    /// Enqueues one job under an id that the caller minted. Repeated with the same id, it is the same job.
    ///
    /// # Errors
    /// As [`Client::enqueue`].
    pub async fn enqueue_as(&self, id: JobId, job: impl IntoInsertOpts) -> Result<Inserted> {
        let inserted = self.enqueue_many(vec![(id, job)]).await?;
        // One job in, one answer out: the store answers in input order.
        Ok(inserted.into_iter().next().unwrap_or(Inserted::New(id)))
    }

    /// Enqueues jobs under ids that the caller minted, all or none; answers in input order. Repeated with the same ids,
    /// it is the same jobs. For more than some ten thousand use [`Client::enqueue_bulk`].
    ///
    /// # Errors
    /// [`super::ClientError::Admit`] if any of them can't be taken: then none is.
    pub async fn enqueue_many<J: IntoInsertOpts>(&self, jobs: Vec<(JobId, J)>) -> Result<Vec<Inserted>> {
        let jobs = self.admit(jobs).await?;
        let inserted = self.repeated(|| self.store.insert(&jobs)).await?;
        self.tell(jobs, &inserted);
        Ok(inserted)
    }

    /// Checks jobs, as far as that can be done before they are inserted.
    pub(super) async fn admit<J: IntoInsertOpts>(
        &self,
        jobs: impl IntoIterator<Item = (JobId, J)>,
    ) -> Result<Vec<NewJob>> {
        let now = self.clock.now();
        let mut admitted = Vec::new();
        for (id, job) in jobs {
            let mut opts = job.into_insert_opts()?;
            request_id::carry(&mut opts)?;
            admitted.push(opts.admit(id, now)?);
        }
        self.check_args(&admitted).await?;
        Ok(admitted)
    }

    /// Tells what was enqueued, after the store said so.
    pub(super) fn tell(&self, jobs: Vec<NewJob>, inserted: &[Inserted]) {
        for (job, inserted) in jobs.into_iter().zip(inserted) {
            let duplicate = matches!(inserted, Inserted::Duplicate(_));
            let NewJob { kind, queue, .. } = job;
            self.events.emit(&Event::JobEnqueued { job: inserted.id(), kind, queue, duplicate });
        }
    }
}

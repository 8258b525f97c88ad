//! Many jobs at once, a chunk at a time.

use super::{Client, ClientError};
use crate::job::{InsertOpts, IntoInsertOpts, JobId};
use crate::store::Inserted;

/// Jobs of one chunk, at most: what one statement takes.
const CHUNK: usize = 5000;
/// And no more once their args have so many bytes.
const CHUNK_BYTES: usize = 2 << 20;

/// Why not all of many jobs were enqueued.
#[derive(Debug, thiserror::Error)]
#[error("after {} jobs: {source}", .done.len())]
pub struct BulkError {
    /// What was enqueued before, in input order.
    pub done: Vec<Inserted>,
    /// The chunk after that, under the ids that were minted for it: whether it was enqueued is not known if the database
    /// failed. Handed to [`Client::enqueue_many`], it is enqueued once; what the iterator still has was not touched.
    pub pending: Vec<(JobId, InsertOpts)>,
    /// What was wrong with it, or with the job after it.
    pub source: ClientError,
}

impl Client {
    /// Enqueues any number of jobs, in chunks: each is a transaction of its own, and no more than one is in memory.
    /// Answers in input order, with duplicates told apart.
    ///
    /// # Errors
    /// [`BulkError`] says what was enqueued before the chunk that could not be.
    pub async fn enqueue_bulk<J: IntoInsertOpts>(
        &self,
        jobs: impl IntoIterator<Item = J>,
    ) -> Result<Vec<Inserted>, BulkError> {
        let mut jobs = jobs.into_iter();
        let mut done = Vec::new();
        loop {
            let mut pending = Vec::new();
            let inserted = match self.gather(&mut jobs, &mut pending) {
                Ok(()) if pending.is_empty() => return Ok(done),
                Ok(()) => self.enqueue_many(pending.clone()).await,
                Err(error) => Err(error),
            };
            match inserted {
                Ok(inserted) => done.extend(inserted),
                Err(source) => return Err(BulkError { done, pending, source }),
            }
        }
    }

    fn gather<J: IntoInsertOpts>(
        &self,
        jobs: &mut impl Iterator<Item = J>,
        chunk: &mut Vec<(JobId, InsertOpts)>,
    ) -> super::Result<()> {
        let (now, mut bytes) = (self.clock.now(), 0);
        while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
            let Some(job) = jobs.next() else { break };
            let opts = job.into_insert_opts()?;
            bytes += opts.args.len();
            chunk.push((JobId::mint(now), opts));
        }
        Ok(())
    }
}

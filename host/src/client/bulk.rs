//! Many jobs at once, a chunk at a time.

use super::{Client, ClientError};
use crate::job::{IntoInsertOpts, JobId};
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
    /// What was wrong with the chunk after that, of which nothing was enqueued, as far as is known.
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
            let inserted = match self.chunk(&mut jobs) {
                Ok(chunk) if chunk.is_empty() => return Ok(done),
                Ok(chunk) => self.enqueue_many(chunk).await,
                Err(error) => Err(error),
            };
            match inserted {
                Ok(inserted) => done.extend(inserted),
                Err(source) => return Err(BulkError { done, source }),
            }
        }
    }

    fn chunk<J: IntoInsertOpts>(
        &self,
        jobs: &mut impl Iterator<Item = J>,
    ) -> super::Result<Vec<(JobId, crate::job::InsertOpts)>> {
        let now = self.clock.now();
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while chunk.len() < CHUNK && bytes < CHUNK_BYTES {
            let Some(job) = jobs.next() else { break };
            let opts = job.into_insert_opts()?;
            bytes += opts.args.len();
            chunk.push((JobId::mint(now), opts));
        }
        Ok(chunk)
    }
}

//! The follow-ups that one attempt asked for: kept until it completes, and counted.

use crate::job::NewJob;

/// The most that one attempt may ask for.
const MOST: usize = 10_000;
/// The most bytes that they may have together.
const MOST_BYTES: usize = 32 << 20;

/// The follow-ups of one attempt.
#[derive(Default)]
pub(super) struct Wishes {
    jobs: Vec<NewJob>,
    bytes: usize,
}

/// More than an attempt may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMany {
    #[error("an attempt may ask for {MOST} follow-ups")]
    Jobs,
    #[error("the follow-ups of an attempt may have {} MiB together", MOST_BYTES >> 20)]
    Bytes,
}

impl Wishes {
    /// Whether there is room for one more, whose texts have so many bytes.
    pub(super) fn room_for(&self, bytes: usize) -> Result<(), TooMany> {
        if self.jobs.len() >= MOST {
            return Err(TooMany::Jobs);
        }
        match self.bytes.checked_add(bytes) {
            Some(sum) if sum <= MOST_BYTES => Ok(()),
            Some(_) | None => Err(TooMany::Bytes),
        }
    }

    /// Keeps one for which there is room.
    pub(super) fn keep(&mut self, job: NewJob, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.jobs.push(job);
    }

    /// All of them.
    pub(super) fn take(&mut self) -> Vec<NewJob> {
        std::mem::take(&mut self.jobs)
    }
}

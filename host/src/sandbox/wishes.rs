//! The follow-ups that one attempt asked for, and the continuation behind them: kept until it completes, and counted.

use crate::job::NewJob;

/// The most that one attempt may ask for.
const MOST: usize = 10_000;
/// The most bytes that they may have together.
const MOST_BYTES: usize = 32 << 20;

/// The most refusals that one attempt is given a reason for.
const MOST_REFUSED: usize = 1000;

/// The follow-ups of one attempt, and its barrier.
#[derive(Default)]
pub(super) struct Wishes {
    jobs: Vec<NewJob>,
    bytes: usize,
    barrier: Option<NewJob>,
    /// What the node's memory was charged for continuations.
    barrier_bytes: usize,
    refused: usize,
}

/// More than an attempt may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMany {
    #[error("an attempt may ask for {MOST} follow-ups")]
    Jobs,
    #[error("the follow-ups of an attempt may have {} MiB together", MOST_BYTES >> 20)]
    Bytes,
    #[error(
        "{MOST_REFUSED} of the follow-ups that the attempt asked for were refused: no more are looked at"
    )]
    Refused,
}

impl Wishes {
    /// Whether there is room for one more, whose texts have so many bytes.
    pub(super) fn room_for(&self, bytes: usize) -> Result<(), TooMany> {
        if self.jobs.len() >= MOST {
            return Err(TooMany::Jobs);
        }
        if self.refused >= MOST_REFUSED {
            return Err(TooMany::Refused);
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

    /// Whether a continuation may be set whose texts have so many bytes.
    pub(super) fn room_for_barrier(&self, bytes: usize) -> Result<(), TooMany> {
        if self.refused >= MOST_REFUSED {
            return Err(TooMany::Refused);
        }
        if bytes > MOST_BYTES { Err(TooMany::Bytes) } else { Ok(()) }
    }

    /// Sets the continuation, in the place of the one before; answers how many bytes that takes more than any did.
    pub(super) fn set_barrier(&mut self, job: NewJob, bytes: usize) -> usize {
        self.barrier = Some(job);
        let more = bytes.saturating_sub(self.barrier_bytes);
        self.barrier_bytes = self.barrier_bytes.max(bytes);
        more
    }

    /// The continuation, if one was set.
    pub(super) fn take_barrier(&mut self) -> Option<NewJob> {
        self.barrier.take()
    }

    /// Counts one that was refused.
    pub(super) fn refuse(&mut self) {
        self.refused = self.refused.saturating_add(1);
    }

    /// All of them.
    pub(super) fn take(&mut self) -> Vec<NewJob> {
        std::mem::take(&mut self.jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_asks_on_and_on_for_what_it_does_not_get_is_no_longer_listened_to() {
        let mut wishes = Wishes::default();
        for _ in 0..MOST_REFUSED {
            assert_eq!(wishes.room_for(1), Ok(()));
            wishes.refuse();
        }
        assert_eq!(wishes.room_for(1), Err(TooMany::Refused));
    }
}

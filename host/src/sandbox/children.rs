//! What one attempt reads of the jobs that it continues: so often and no more, and charged to the node's memory.

use crate::job::ChildRecord;

/// The most reads that one attempt may make: all the children that there can be, one by one, and once more.
const MOST: u32 = 20_000;
/// As it was read, and on its way to the guest.
const COPIES: usize = 2;
/// What a child takes beside its texts.
const AROUND_A_CHILD: usize = 256;

/// The reads of one attempt.
#[derive(Default)]
pub(super) struct Reads {
    made: u32,
    /// The bytes that the node's memory was charged for.
    counted: usize,
}

/// More than an attempt may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt may ask {MOST} times for the jobs that it continues; it may ask for a hundred at once")]
pub(super) struct TooManyReads;

impl Reads {
    /// One more, if it may be.
    pub(super) fn begin(&mut self) -> Result<(), TooManyReads> {
        self.made = self.made.checked_add(1).filter(|made| *made <= MOST).ok_or(TooManyReads)?;
        Ok(())
    }

    /// Bytes that have to be charged for this answer, beyond what was: each takes the place of the one before.
    pub(super) fn charge(&mut self, answer: &[ChildRecord]) -> usize {
        let needed = answer.iter().map(size).sum::<usize>().saturating_mul(COPIES);
        let more = needed.saturating_sub(self.counted);
        self.counted = self.counted.max(needed);
        more
    }
}

fn size(child: &ChildRecord) -> usize {
    let output = child.output.as_ref().map_or(0, |output| output.as_str().len());
    output + child.error_message.as_ref().map_or(0, String::len) + AROUND_A_CHILD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobId, JobState, Json, Kind, Timestamp};

    #[test]
    fn an_attempt_that_reads_on_and_on_is_ended() {
        let mut reads = Reads::default();
        for _ in 0..MOST {
            assert_eq!(reads.begin(), Ok(()));
        }
        assert_eq!((reads.begin(), reads.begin()), (Err(TooManyReads), Err(TooManyReads)));
    }

    #[test]
    fn reading_on_and_on_is_charged_once_for_the_largest() {
        let child = |bytes: usize| ChildRecord {
            id: JobId::mint(Timestamp::EPOCH),
            kind: Kind::new("work").expect("a kind"),
            state: JobState::Succeeded,
            attempt: 1,
            output: Some(Json::stored("x".repeat(bytes))),
            error_class: None,
            error_message: None,
        };
        let mut reads = Reads::default();
        let charged: Vec<_> = [&[1000, 1000][..], &[3000], &[10], &[]]
            .map(|answer| reads.charge(&answer.iter().map(|bytes| child(*bytes)).collect::<Vec<_>>()))
            .into();
        assert_eq!(charged, [2 * 2512, 2 * 3256 - 2 * 2512, 0, 0]);
    }
}

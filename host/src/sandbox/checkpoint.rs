//! The checkpoint of one attempt: read from the store when it is first asked for, and kept here from then on.

use std::sync::Arc;

use crate::job::MAX_CHECKPOINT_BYTES;

/// Here, on its way to the store, and on its way to the guest.
const COPIES: usize = 3;

/// What was loaded or saved.
#[derive(Default)]
pub(super) struct Checkpoint {
    known: Known,
    /// The bytes that the node's memory was charged for.
    counted: usize,
}

/// What is known of it.
#[derive(Default)]
enum Known {
    #[default]
    Nothing,
    Stored(Option<Arc<[u8]>>),
    Saved(Arc<[u8]>),
}

/// More than a checkpoint may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint may have {} bytes; this one has {bytes}", MAX_CHECKPOINT_BYTES)]
pub(super) struct TooLarge {
    bytes: usize,
}

impl Checkpoint {
    /// Refuses what is too large.
    pub(super) fn check(data: &[u8]) -> Result<(), TooLarge> {
        let bytes = data.len();
        if bytes > MAX_CHECKPOINT_BYTES { Err(TooLarge { bytes }) } else { Ok(()) }
    }

    /// What is here, if the store need not be asked.
    pub(super) fn known(&self) -> Option<Option<Arc<[u8]>>> {
        match &self.known {
            Known::Nothing => None,
            Known::Stored(data) => Some(data.clone()),
            Known::Saved(data) => Some(Some(data.clone())),
        }
    }

    /// Bytes that have to be charged for so many, beyond what was: each takes the place of the one before.
    pub(super) fn charge(&mut self, bytes: usize) -> usize {
        let needed = bytes.saturating_mul(COPIES);
        let more = needed.saturating_sub(self.counted);
        self.counted = self.counted.max(needed);
        more
    }

    pub(super) fn loaded(&mut self, data: Option<Arc<[u8]>>) {
        self.known = Known::Stored(data);
    }

    pub(super) fn saved(&mut self, data: Arc<[u8]>) {
        self.known = Known::Saved(data);
    }

    /// What was saved last in this attempt.
    pub(super) fn take_saved(&mut self) -> Option<Arc<[u8]>> {
        match std::mem::take(&mut self.known) {
            Known::Saved(data) => Some(data),
            Known::Nothing | Known::Stored(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_on_and_on_is_charged_once_for_the_largest() {
        let mut checkpoint = Checkpoint::default();
        let charged: Vec<_> = [10, 10, 4, 20].into_iter().map(|bytes| checkpoint.charge(bytes)).collect();
        assert_eq!(charged, [30, 0, 0, 30]);
    }

    #[test]
    fn only_what_was_saved_in_this_attempt_is_stored_with_its_end() {
        let mut checkpoint = Checkpoint::default();
        assert!(checkpoint.known().is_none());
        checkpoint.loaded(Some([1].into()));
        assert_eq!(checkpoint.known().flatten().as_deref(), Some(&[1][..]));
        assert!(checkpoint.take_saved().is_none());
        checkpoint.saved([2].into());
        assert_eq!(checkpoint.known().flatten().as_deref(), Some(&[2][..]));
        assert_eq!(checkpoint.take_saved().as_deref(), Some(&[2][..]));
    }
}

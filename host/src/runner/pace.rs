//! How often the store is asked while a line is long. Then a claim that fills many slots, or a batch of many outcomes,
//! costs hardly more than one that does for one job: so they go no faster than one after a short while, unless enough
//! has gathered. Where no line is long, nothing waits: a job alone is never delayed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Boot;

/// From one answer to the next request of the same sort.
const APART: Duration = Duration::from_millis(2);
/// So much is enough on a node with few slots; else a quarter of the slots.
const FEW: u32 = 8;

/// What the runner's parts know together of the line.
#[derive(Debug, Default)]
pub(super) struct Pace {
    line_is_long: AtomicBool,
}

impl Pace {
    /// The last claim left work behind.
    pub(super) fn line_is_long(&self) {
        self.line_is_long.store(true, Ordering::Relaxed);
    }

    /// The last claim found all that there was.
    pub(super) fn line_is_short(&self) {
        self.line_is_long.store(false, Ordering::Relaxed);
    }

    /// Until when more is waited for, after an answer that came at this point; `None` where it is not.
    pub(super) fn until(&self, answered: Boot) -> Option<Boot> {
        self.line_is_long.load(Ordering::Relaxed).then(|| answered.after(APART))
    }
}

/// What is enough on a node of so many slots: nothing more is waited for.
pub(super) fn enough(slots: u32) -> u32 {
    (slots / 4).max(FEW).min(slots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_alone_waits_for_no_other_and_a_small_node_waits_for_all_its_slots() {
        let pace = Pace::default();
        assert_eq!(pace.until(Boot::default()), None);
        pace.line_is_long();
        assert_eq!(pace.until(Boot::default()), Some(Boot::default().after(APART)));
        pace.line_is_short();
        assert_eq!(pace.until(Boot::default()), None);
        assert_eq!([1, 4, 8, 16, 32, 128].map(enough), [1, 4, 8, 8, 8, 32]);
    }
}

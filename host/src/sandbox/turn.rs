//! How long an attempt has held its thread. One that goes from host call to host call never reaches a place where the
//! epoch is looked at: it is the crossings that see that its turn is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::ticker::TICK;
use crate::clock::Boot;

/// Longer than a guest holds its thread between two ticks: these make it yield by themselves.
const LONGEST: Duration = TICK.saturating_mul(2);

/// When the attempt was given its thread, in microseconds. Shared by whoever drives it and its guest.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn(Arc<AtomicU64>);

impl Turn {
    /// It has its thread from here on.
    pub(super) fn begin(&self, now: Boot) {
        self.0.store(micros(now), Ordering::Relaxed);
    }

    /// Whether others come first.
    pub(super) fn is_over(&self, now: Boot) -> bool {
        let held = micros(now).saturating_sub(self.0.load(Ordering::Relaxed));
        Duration::from_micros(held) >= LONGEST
    }
}

fn micros(now: Boot) -> u64 {
    u64::try_from(now.since(Boot::default()).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_over_after_two_ticks() {
        let turn = Turn::default();
        let at = |millis| Boot::default().after(Duration::from_millis(millis));
        turn.begin(at(100));
        assert!(!turn.is_over(at(119)));
        assert!(turn.is_over(at(120)));
        turn.begin(at(130));
        assert!(!turn.is_over(at(149)));
    }
}

//! Durations, in order: the middle, the slow ones, the slowest.

use std::time::Duration;

use serde::Serialize;

/// What is told of many durations, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Percentiles {
    count: usize,
    p50_us: u128,
    p95_us: u128,
    p99_us: u128,
    max_us: u128,
}

impl Percentiles {
    /// By nearest rank: each is a duration that was measured. `None` of none.
    pub(super) fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort_unstable();
        let count = durations.len();
        let rank = |percent: usize| durations.get((count * percent).div_ceil(100).saturating_sub(1));
        let micros = |percent| Some(rank(percent)?.as_micros());
        Some(Self {
            count,
            p50_us: micros(50)?,
            p95_us: micros(95)?,
            p99_us: micros(99)?,
            max_us: micros(100)?,
        })
    }

    /// How often the middle one of the other goes into the middle one of these.
    #[expect(clippy::cast_precision_loss, reason = "microseconds, and a ratio in two digits")]
    pub(super) fn p50_ratio(&self, other: &Self) -> f64 {
        self.p50_us as f64 / other.p50_us.max(1) as f64
    }

    /// p50, p95, p99 and max, for people.
    pub(super) fn cells(&self) -> [String; 4] {
        [self.p50_us, self.p95_us, self.p99_us, self.max_us].map(millis)
    }
}

fn millis(micros: u128) -> String {
    format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_percentile_is_a_duration_that_was_measured() {
        let of = |durations: std::ops::RangeInclusive<u64>| {
            Percentiles::of(durations.rev().map(Duration::from_micros).collect())
        };
        let hundred = of(1..=100).expect("some");
        assert_eq!((hundred.p50_us, hundred.p95_us, hundred.p99_us, hundred.max_us), (50, 95, 99, 100));
        let one = of(1234..=1234).expect("one");
        assert_eq!(one.cells(), ["1.23 ms"; 4]);
        assert_eq!(Percentiles::of(Vec::new()), None);
    }
}

//! When a failed or lost job is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ErrorClass, JobId};

/// The shortest delay before a next attempt.
pub const MIN_DELAY: Duration = Duration::from_secs(1);
/// The longest delay before a next attempt.
pub const MAX_DELAY: Duration = Duration::from_secs(30 * 24 * 3600);

/// Delays that double: `min(cap, base · 2^(n−1))`, times a factor in [0.75, 1.25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// The delay after the first failure.
    pub base: Duration,
    /// The delay is never more than this, but for the factor.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The delay after the `n`th failure in a row, `n` from 1. The factor spreads jobs that failed together; it is
    /// hashed from the job and the attempt, so that the same question has the same answer.
    pub fn delay(self, n: u32, job: JobId, attempt: u32) -> Duration {
        let doubled = self.base.saturating_mul(1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX));
        let micros = u64::try_from(doubled.min(self.cap).min(MAX_DELAY).as_micros()).unwrap_or(u64::MAX);
        // 768…1279 of 1024: 0.75 up to, but not with, 1.25.
        let factor = 768 + spread(job, attempt) % 512;
        Duration::from_micros(micros / 1024 * factor + micros % 1024 * factor / 1024)
    }
}

/// SplitMix64's finaliser (Steele, Lea, Flood 2014) over the id's halves and the attempt.
pub(super) fn spread(job: JobId, attempt: u32) -> u64 {
    let (high, low) = job.uuid().as_u64_pair();
    let mut z =
        (high ^ low.rotate_left(32)).wrapping_add(u64::from(attempt).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How a kind's failures are treated, once job, manifest, `describe` and host have had their say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Charged attempts before the job is discarded; at least 1.
    pub max_attempts: u32,
    /// Delays between attempts.
    pub backoff: Backoff,
    /// Whether an attempt that needed more than its budget is tried again.
    pub retry_resource: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 25, backoff: Backoff::default(), retry_resource: false }
    }
}

impl RetryPolicy {
    /// Whether a failure of this class may be tried again at all.
    pub const fn retries(&self, class: ErrorClass) -> bool {
        match class {
            ErrorClass::Transient | ErrorClass::Timeout => true,
            ErrorClass::Resource => self.retry_resource,
            ErrorClass::Permanent | ErrorClass::Validation => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn a_delay_doubles_up_to_its_cap_and_spreads_by_a_quarter(
            base in 1_u64..100_000, cap in 1_u64..10_000_000, n in 1_u32..200, id: u128, attempt: u32,
        ) {
            let backoff = Backoff { base: Duration::from_millis(base), cap: Duration::from_millis(cap) };
            let job = JobId::from(Uuid::from_u128(id));
            let plain = (base as f64 * 2_f64.powi(n as i32 - 1)).min(cap as f64).min(MAX_DELAY.as_secs_f64() * 1e3);
            let got = backoff.delay(n, job, attempt).as_secs_f64() * 1e3;
            prop_assert!(got >= plain * 0.75 - 0.01 && got < plain * 1.25 + 0.01, "{got} of {plain}");
            prop_assert_eq!(backoff.delay(n, job, attempt), backoff.delay(n, job, attempt));
        }
    }

    #[test]
    fn jobs_that_failed_together_do_not_come_back_together() {
        let delays: std::collections::HashSet<_> = (0..100_u128)
            .map(|id| Backoff::default().delay(1, JobId::from(Uuid::from_u128(id)), 1))
            .collect();
        assert!(delays.len() > 80, "{} different delays of 100", delays.len());
    }
}

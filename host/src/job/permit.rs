//! Permits of one key of a limit: how many there are to give, and when the next one comes.

use std::time::Duration;

use super::{Rate, Timestamp};

/// What is taken for a whole token that is one but for the last digits of a division.
const DUST: f64 = 1e-6;

/// One key of a limit, as it stands when its row is held. Who has a permit either runs, or waits to be claimed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Permits {
    /// Jobs that may run at once.
    pub concurrency: Option<u32>,
    /// Jobs that may start in a time.
    pub rate: Option<Rate>,
    /// Jobs that run; counted no further than `concurrency`.
    pub running: u32,
    /// Jobs that may run as soon as somebody claims them; counted no further than either bound.
    pub waiting: u32,
    /// The tokens that the bucket had when it was last looked at. Those of `waiting` are still in it.
    pub level: f64,
    /// When that was.
    pub filled_at: Timestamp,
}

impl Permits {
    /// How many more jobs may be let through now.
    pub fn room(&self, now: Timestamp) -> u32 {
        let slots =
            self.concurrency.map(|most| most.saturating_sub(self.running.saturating_add(self.waiting)));
        let tokens = self.rate.map(|rate| whole(self.tokens(rate, now)).saturating_sub(self.waiting));
        slots.into_iter().chain(tokens).min().unwrap_or(u32::MAX)
    }

    /// When a token comes for one job more than these; `None` if there is one, or none is needed.
    pub fn next_token(&self, admitted: u32, now: Timestamp) -> Option<Timestamp> {
        let rate = self.rate?;
        let tokens = self.tokens(rate, now);
        let spoken_for = self.waiting.saturating_add(admitted);
        if whole(tokens) > spoken_for {
            return None;
        }
        let missing = (f64::from(spoken_for) + 1.0 - tokens).max(0.0);
        let wait = missing * rate.per.as_secs_f64() / f64::from(rate.permits);
        // A microsecond later, so that whoever comes then finds it.
        Some(now.after(Duration::from_secs_f64(wait) + Duration::from_micros(1)))
    }

    fn tokens(&self, rate: Rate, now: Timestamp) -> f64 {
        let elapsed = now.since(self.filled_at).as_secs_f64();
        let come = elapsed * f64::from(rate.permits) / rate.per.as_secs_f64();
        (self.level + come).min(f64::from(rate.burst))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bucket has at most 100,000 tokens, and less than none is none"
)]
fn whole(tokens: f64) -> u32 {
    (tokens + DUST).floor().max(0.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);
    const TEN_A_SECOND: Rate = Rate { permits: 10, per: Duration::from_secs(1), burst: 5 };

    fn permits(concurrency: Option<u32>, rate: Option<Rate>, running: u32, waiting: u32) -> Permits {
        Permits { concurrency, rate, running, waiting, level: f64::INFINITY, filled_at: NOW }
    }

    #[test]
    fn who_runs_and_who_waits_to_be_claimed_has_a_slot() {
        assert_eq!(permits(Some(3), None, 1, 1).room(NOW), 1);
        assert_eq!(permits(Some(3), None, 3, 2).room(NOW), 0);
        assert_eq!(permits(None, None, 3, 2).room(NOW), u32::MAX);
    }

    #[test]
    fn a_bucket_is_full_at_first_and_who_waits_to_be_claimed_has_a_token() {
        assert_eq!(permits(None, Some(TEN_A_SECOND), 9, 0).room(NOW), 5);
        assert_eq!(permits(None, Some(TEN_A_SECOND), 9, 4).room(NOW), 1);
        assert_eq!(permits(Some(12), Some(TEN_A_SECOND), 9, 1).room(NOW), 2);
        assert_eq!(permits(None, Some(TEN_A_SECOND), 0, 0).next_token(4, NOW), None);
    }

    #[test]
    fn an_empty_bucket_has_a_token_when_it_said_it_would() {
        let mut empty = Permits { level: 0.0, ..permits(None, Some(TEN_A_SECOND), 0, 0) };
        for waiting in 0..3 {
            empty.waiting = waiting;
            assert_eq!(empty.room(NOW), 0);
            let at = empty.next_token(0, NOW).expect("a time");
            assert_eq!(at.since(NOW).as_millis(), u128::from(waiting + 1) * 100);
            assert_eq!(empty.room(at), 1, "the token is there");
            assert_eq!(empty.room(at.before(Duration::from_millis(2))), 0, "and was not before");
        }
        assert_eq!(
            Permits { waiting: 0, ..empty }.room(NOW.after(Duration::from_secs(3600))),
            5,
            "no more than fit"
        );
    }
}

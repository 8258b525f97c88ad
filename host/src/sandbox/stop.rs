//! Asking an attempt to stop: first politely, then for good.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::{Boot, Clock};

/// Why an attempt is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopCause {
    /// An operator asked to cancel the job.
    Cancel,
    /// The node is stopping.
    Drain,
    /// The node could not renew its lease, or lost it.
    LeaseLost,
}

/// How one attempt is told to stop. Clones tell the same attempt.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    asks: Mutex<Vec<Ask>>,
    changed: watch::Sender<()>,
}

#[derive(Clone, Copy, Debug)]
struct Ask {
    cause: StopCause,
    hard: Boot,
}

impl Stop {
    /// For a new attempt: nobody has asked.
    pub fn new(clock: Clock) -> Self {
        Self(Arc::new(Inner { clock, asks: Mutex::default(), changed: watch::Sender::new(()) }))
    }

    /// Asks politely at once, and stops for good when the grace is over. Asked again for the same cause, the earlier
    /// end counts.
    pub fn ask(&self, cause: StopCause, grace: Duration) {
        let hard = self.0.clock.boot().after(grace);
        {
            let mut asks = self.0.asks.lock().unwrap_or_else(PoisonError::into_inner);
            match asks.iter_mut().find(|ask| ask.cause == cause) {
                Some(ask) => ask.hard = ask.hard.min(hard),
                None => asks.push(Ask { cause, hard }),
            }
        }
        self.0.changed.send_replace(());
    }

    /// The first cause that asked, if any did.
    pub fn asked(&self) -> Option<StopCause> {
        self.0.asks.lock().unwrap_or_else(PoisonError::into_inner).first().map(|ask| ask.cause)
    }

    /// The cause whose grace is over, if one is; the one that was over first.
    pub fn due(&self) -> Option<StopCause> {
        self.due_at(self.0.clock.boot())
    }

    /// As [`Stop::due`], for a caller that has just read the clock.
    pub(super) fn due_at(&self, now: Boot) -> Option<StopCause> {
        self.next().filter(|ask| ask.hard <= now).map(|ask| ask.cause)
    }

    /// Waits until a grace is over, and says which.
    pub async fn stopped(&self) -> StopCause {
        let mut changed = self.0.changed.subscribe();
        loop {
            if let Some(cause) = self.due() {
                return cause;
            }
            let next = self.next();
            let over = async {
                match next {
                    Some(ask) => self.0.clock.sleep_until(ask.hard).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => {}
                // The sender lives as long as `self`.
                _ = changed.changed() => {}
            }
        }
    }

    fn next(&self) -> Option<Ask> {
        self.0.asks.lock().unwrap_or_else(PoisonError::into_inner).iter().min_by_key(|ask| ask.hard).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Timestamp;

    #[tokio::test]
    async fn an_attempt_is_asked_politely_and_stopped_when_the_grace_is_over() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let stop = Stop::new(clock.clone());
        assert_eq!((stop.asked(), stop.due()), (None, None));
        stop.ask(StopCause::Drain, Duration::from_secs(30));
        stop.ask(StopCause::Cancel, Duration::from_millis(200));
        assert_eq!((stop.asked(), stop.due()), (Some(StopCause::Drain), None));
        clock.advance(Duration::from_millis(200));
        assert_eq!(stop.stopped().await, StopCause::Cancel);
    }

    #[test]
    fn asking_again_never_moves_the_end_back() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let stop = Stop::new(clock.clone());
        stop.ask(StopCause::LeaseLost, Duration::ZERO);
        stop.ask(StopCause::LeaseLost, Duration::from_secs(9));
        assert_eq!(stop.due(), Some(StopCause::LeaseLost));
    }
}

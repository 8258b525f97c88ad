//! What time it is. The only place that reads a clock; everything else is told.
//!
//! Two clocks: the wall clock ([`Clock::now`]), which on PostgreSQL is the database's own at the
//! last renewal plus monotonic time since; and a monotonic one that runs through suspend
//! ([`Clock::boot`]), which leases and deadlines are counted on. A manual clock is for tests:
//! moving it wakes those who sleep on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::job::Timestamp;

/// Monotonic time since some fixed point, through suspend where the system has such a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boot(Duration);

impl Boot {
    /// This point plus a delay.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(delay))
    }

    /// The time from `earlier` to this point; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A clock. Cheap to clone; clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    System,
    Anchored(Mutex<Option<Anchor>>),
    Manual(watch::Sender<Manual>),
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    at: Boot,
    was: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Manual {
    wall: Timestamp,
    boot: Boot,
}

impl Clock {
    /// The system's clocks: for SQLite.
    pub fn system() -> Self {
        Self(Arc::new(Source::System))
    }

    /// The database's time, once [`Clock::anchor`] was told it; the system's until then.
    pub fn anchored() -> Self {
        Self(Arc::new(Source::Anchored(Mutex::new(None))))
    }

    /// A clock that stands still until a test moves it.
    pub fn manual(wall: Timestamp) -> Self {
        Self(Arc::new(Source::Manual(watch::Sender::new(Manual { wall, boot: Boot::default() }))))
    }

    /// The wall clock.
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Source::System => system_wall(),
            Source::Anchored(anchor) => match *anchor.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(Anchor { at, was }) => was.after(system_boot().since(at)),
                None => system_wall(),
            },
            Source::Manual(manual) => manual.borrow().wall,
        }
    }

    /// The monotonic clock.
    pub fn boot(&self) -> Boot {
        match &*self.0 {
            Source::System | Source::Anchored(_) => system_boot(),
            Source::Manual(manual) => manual.borrow().boot,
        }
    }

    /// Tells an anchored clock what time the database had when it answered, and when that answer arrived.
    /// Counting from the arrival, this clock may lag the database by the way back, and never runs ahead of it.
    /// Other clocks keep their own time.
    pub fn anchor(&self, database: Timestamp, answered: Boot) {
        if let Source::Anchored(anchor) = &*self.0 {
            *anchor.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Anchor { at: answered, was: database });
        }
    }

    /// Whether a test owns this clock, so that it may differ from the database's by any amount.
    pub fn is_manual(&self) -> bool {
        matches!(&*self.0, Source::Manual(_))
    }

    /// Moves a manual clock on, both its hands; any other clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(manual) = &*self.0 {
            manual.send_modify(|time| {
                time.wall = time.wall.after(by);
                time.boot = time.boot.after(by);
            });
        }
    }

    /// Sleeps for a duration of this clock's monotonic time.
    pub async fn sleep(&self, delay: Duration) {
        match &*self.0 {
            Source::System | Source::Anchored(_) => tokio::time::sleep(delay).await,
            Source::Manual(manual) => {
                let mut moved = manual.subscribe();
                let until = moved.borrow().boot.after(delay);
                // The sender lives as long as this clock, so waiting can't fail.
                let _ = moved.wait_for(|time| time.boot >= until).await;
            }
        }
    }

    /// Sleeps until a point of this clock's monotonic time.
    pub async fn sleep_until(&self, until: Boot) {
        self.sleep(until.since(self.boot())).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
fn system_wall() -> Timestamp {
    chrono::Utc::now().into()
}

#[cfg(target_os = "linux")]
fn system_boot() -> Boot {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(now.tv_nsec).unwrap_or(0);
    Boot(Duration::new(seconds, nanos))
}

#[cfg(not(target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
fn system_boot() -> Boot {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    Boot(START.get_or_init(std::time::Instant::now).elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn moving_a_manual_clock_wakes_those_who_sleep_on_it() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3600)).await }
        });
        clock.advance(Duration::from_secs(3599));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        // Whether the sleeper subscribed before or after, both hands have moved far enough now.
        clock.advance(Duration::from_secs(3600));
        while !sleeper.is_finished() {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        assert!(clock.now() >= Timestamp::from_micros(7_199_000_000));
    }

    #[test]
    fn an_anchored_clock_tells_the_databases_time() {
        let clock = Clock::anchored();
        let database = Timestamp::from_micros(1_000_000);
        clock.anchor(database, clock.boot());
        assert!(clock.now() >= database && clock.now() < database.after(Duration::from_secs(60)));
    }
}

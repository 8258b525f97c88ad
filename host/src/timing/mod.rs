//! Schedules, and when they fire: cron expressions and intervals, read, checked, and followed through the changes of a
//! zone's clock. Nothing here knows what time it is.

mod cron;
mod fields;
mod firing;
mod record;
mod schedule;
mod wall;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;

use self::cron::Cron;
pub use self::firing::Firing;
pub use self::record::{Origin, Overlap, ScheduleRecord};
pub use self::schedule::{MAX_BACKFILL, Schedule, ScheduleError, zone};
use crate::job::Timestamp;
use crate::quantity::Span;

/// A bucket that is older when the scheduler comes to it has been missed.
pub const ON_TIME: Duration = Duration::from_secs(60);

/// When something fires.
#[derive(Clone, Debug)]
pub enum Timing {
    /// By the clock on the wall of a zone.
    Cron(Box<CronTiming>),
    /// So often, counted from the schedule's first bucket. At least a second.
    Every(Duration),
}

/// A cron expression as it was written, and what it means.
#[derive(Clone, Debug)]
pub struct CronTiming {
    text: String,
    cron: Cron,
}

/// An expression that is none, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is no time for a schedule: {what}")]
pub struct TimingError {
    shown: String,
    what: String,
}

/// The buckets that a schedule has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Those that fire, oldest first: the ones on time, and before them the last few of those that were missed.
    pub fire: Vec<Timestamp>,
    /// The first bucket after now.
    pub next: Option<Timestamp>,
}

impl Timing {
    /// So often.
    ///
    /// # Errors
    /// When it is shorter than a second, or has parts of one.
    pub fn every(interval: Duration) -> Result<Self, TimingError> {
        if interval < Duration::from_secs(1) || interval.subsec_nanos() != 0 {
            let what = "an interval is whole seconds, at least one".to_owned();
            return Err(TimingError { shown: Span(interval).to_string(), what });
        }
        Ok(Self::Every(interval))
    }

    /// The first bucket after this instant; `None` if there is none in this century. An interval is counted from
    /// `first`, one of its buckets.
    pub fn next_after(&self, after: Timestamp, first: Timestamp, zone: Tz) -> Option<Timestamp> {
        match self {
            Self::Cron(timing) => wall::next_after(&timing.cron, after, zone),
            Self::Every(interval) => {
                if after < first {
                    return Some(first);
                }
                let interval = micros(*interval);
                let past = (after.micros() - first.micros()) / interval + 1;
                let at = past.checked_mul(interval).and_then(|since| first.micros().checked_add(since))?;
                Some(Timestamp::from_micros(at))
            }
        }
    }

    /// The first bucket of a schedule that begins now: whole seconds, as its key has them.
    pub fn first_after(&self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        match self {
            Self::Cron(_) => self.next_after(now, now, zone),
            Self::Every(interval) => Some(whole_second(now).after(*interval)),
        }
    }

    /// The buckets from `cursor`, itself one of them, up to now. Of those that were missed at most `backfill_cap` fire.
    pub fn due(&self, cursor: Timestamp, now: Timestamp, backfill_cap: usize, zone: Tz) -> Due {
        if cursor > now {
            return Due { fire: Vec::new(), next: Some(cursor) };
        }
        let next = self.next_after(now, cursor, zone);
        let late = now.before(ON_TIME);
        let mut fire = self.last_before(cursor, late, backfill_cap, zone);
        fire.extend(self.between(late.max(cursor), now.after(Duration::from_micros(1)), cursor, zone));
        Due { fire, next }
    }

    /// The last `most` buckets from `cursor` on that are before `end`, oldest first. Looks back from the end, so that
    /// years of missed seconds cost nothing.
    fn last_before(&self, cursor: Timestamp, end: Timestamp, most: usize, zone: Tz) -> Vec<Timestamp> {
        if most == 0 || cursor >= end {
            return Vec::new();
        }
        let mut back = Duration::from_secs(60);
        loop {
            let start = end.before(back).max(cursor);
            let mut found = self.between(start, end, cursor, zone);
            if found.len() >= most || start == cursor {
                let surplus = found.len().saturating_sub(most);
                return found.split_off(surplus);
            }
            back = back.saturating_mul(2);
        }
    }

    /// All buckets from `start` on that are before `end`.
    fn between(&self, start: Timestamp, end: Timestamp, cursor: Timestamp, zone: Tz) -> Vec<Timestamp> {
        let first = if start == cursor {
            Some(cursor)
        } else {
            self.next_after(start.before(Duration::from_micros(1)), cursor, zone)
        };
        let following = |bucket: &Timestamp| self.next_after(*bucket, cursor, zone);
        std::iter::successors(first, following).take_while(|bucket| *bucket < end).collect()
    }
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() / 1_000_000 * 1_000_000)
}

fn micros(interval: Duration) -> i64 {
    i64::try_from(interval.as_micros()).unwrap_or(i64::MAX)
}

impl FromStr for Timing {
    type Err = TimingError;

    fn from_str(text: &str) -> Result<Self, TimingError> {
        let text = text.trim();
        let wrong = |what: String| TimingError { shown: crate::job::cut(text, 120).to_owned(), what };
        if let Some(interval) = text.strip_prefix("@every") {
            let interval = interval.trim().parse::<Span>().map_err(|e| wrong(e.to_string()))?;
            return Self::every(interval.0);
        }
        let cron = Cron::parse(text).map_err(wrong)?;
        Ok(Self::Cron(Box::new(CronTiming { text: text.to_owned(), cron })))
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(timing) => f.write_str(&timing.text),
            Self::Every(interval) => write!(f, "@every {}", Span(*interval)),
        }
    }
}

#[cfg(test)]
mod tests;

//! Limits: how many jobs of a queue or a kind run at once, or start in a time, over all nodes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Kind, LimitName, Queue};

/// The most jobs at once that a limit may allow, and the most tokens of a bucket: what is counted is counted one by one.
pub const MAX_PERMITS: u32 = 100_000;
/// The shortest and the longest time that a rate may be about.
const SPANS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(30 * 24 * 3600);
/// The most names on the way to a field.
const MAX_STEPS: usize = 8;
/// The most bytes of a way to a field.
const MAX_FIELD_BYTES: usize = 256;

/// A definition of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name.
    pub name: LimitName,
    /// The queue whose jobs it is about; with a kind, the jobs of that kind in this queue.
    pub queue: Option<Queue>,
    /// The kind whose jobs it is about.
    pub kind: Option<Kind>,
    /// If it is about each key apart: the field of the args that has the key, unless the job names it itself. Jobs without
    /// that field have one key together. A job is in one line of this sort: a limit of its kind goes before one of its
    /// queue.
    pub key: Option<Field>,
    /// Jobs that run at once, 1…100,000.
    pub concurrency: Option<u32>,
    /// Jobs that start in a time.
    pub rate: Option<Rate>,
}

/// A token bucket: it is full at first, each start takes a token, and tokens come evenly until it is full again. So no
/// time sees more starts than `burst`, and what comes into the bucket in that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Tokens that come in the time, 1…100,000.
    pub permits: u32,
    /// The time, 1 ms…30 d, in whole milliseconds.
    pub per: Duration,
    /// Tokens that there is room for, 1…100,000.
    pub burst: u32,
}

/// The way to a field of the args: names with dots between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(String);

/// Why a limit can't be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// It is about nothing.
    #[error("say whose jobs it limits: a queue, a kind, or both")]
    NoScope,
    /// It has no key.
    #[error("say which field of the args has the key: limits of a whole queue or kind are not there so far")]
    NoKey,
    /// It bounds nothing.
    #[error("say what it limits: concurrency, rate, or both")]
    NoBound,
    /// A number is out of its range.
    #[error("{what} must be {range}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What it may be.
        range: &'static str,
    },
    /// The way to a field is none.
    #[error(
        "{0:?} is no field of the args: write its name, or names with dots between them, such as user.tenant"
    )]
    Field(String),
}

impl Field {
    /// Checks the way: at most 8 names and 256 bytes, none empty, without quotes, backslashes and control characters.
    ///
    /// # Errors
    /// [`LimitError::Field`] shows what was given.
    pub fn new(text: &str) -> Result<Self, LimitError> {
        let is_name =
            |name: &str| !name.is_empty() && !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
        let steps = text.split('.').count();
        if text.len() <= MAX_FIELD_BYTES && steps <= MAX_STEPS && text.split('.').all(is_name) {
            return Ok(Self(text.to_owned()));
        }
        Err(LimitError::Field(super::cut(text, 80).to_owned()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names on the way.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Limit {
    /// Checks that it says what it is about and what it bounds, and every range.
    ///
    /// # Errors
    /// [`LimitError`] says which of these does not hold.
    pub fn check(&self) -> Result<(), LimitError> {
        if self.queue.is_none() && self.kind.is_none() {
            return Err(LimitError::NoScope);
        }
        if self.key.is_none() {
            return Err(LimitError::NoKey);
        }
        if self.concurrency.is_none() && self.rate.is_none() {
            return Err(LimitError::NoBound);
        }
        let permits = |n: u32| (1..=MAX_PERMITS).contains(&n);
        let checks = [
            (self.concurrency.is_none_or(permits), "concurrency", "1 to 100000"),
            (self.rate.is_none_or(|rate| permits(rate.permits)), "the permits of rate", "1 to 100000"),
            (self.rate.is_none_or(|rate| permits(rate.burst)), "burst", "1 to 100000"),
            (self.rate.is_none_or(|rate| SPANS.contains(&rate.per)), "the time of rate", "1 ms to 30 days"),
        ];
        match checks.iter().find(|(holds, ..)| !holds) {
            Some(&(_, what, range)) => Err(LimitError::Range { what, range }),
            None => Ok(()),
        }
    }

    /// Whether both put the same jobs into lines by key, so that only one of them can.
    pub fn rivals(&self, other: &Self) -> bool {
        let both = self.key.is_some() && other.key.is_some();
        both && self.name != other.name && self.queue == other.queue && self.kind == other.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit() -> Limit {
        Limit {
            name: LimitName::new("mail").expect("valid"),
            queue: Some(Queue::default()),
            kind: None,
            key: Some(Field::new("tenant").expect("valid")),
            concurrency: Some(1),
            rate: None,
        }
    }

    #[test]
    fn a_limit_says_what_it_is_about_what_it_bounds_and_stays_in_range() {
        type Change = fn(&mut Limit);
        let second = Duration::from_secs(1);
        let cases: [(Change, &str); 6] = [
            (
                |l| l.key = None,
                "say which field of the args has the key: limits of a whole queue or kind are not there so far",
            ),
            (|l| l.queue = None, "say whose jobs it limits: a queue, a kind, or both"),
            (|l| l.concurrency = None, "say what it limits: concurrency, rate, or both"),
            (|l| l.concurrency = Some(0), "concurrency must be 1 to 100000"),
            (
                |l| l.rate = Some(Rate { permits: 1, per: Duration::ZERO, burst: 1 }),
                "the time of rate must be 1 ms to 30 days",
            ),
            (
                |l| l.rate = Some(Rate { permits: 1, per: Duration::from_secs(1), burst: 0 }),
                "burst must be 1 to 100000",
            ),
        ];
        for (change, message) in cases {
            let mut limit = limit();
            change(&mut limit);
            assert_eq!(limit.check().expect_err(message).to_string(), message);
        }
        let rated = Limit { rate: Some(Rate { permits: 10, per: second, burst: 20 }), ..limit() };
        assert_eq!(rated.check(), Ok(()));
    }

    #[test]
    fn a_field_is_names_with_dots_between_them() {
        assert_eq!(
            Field::new("user.tenant id").expect("valid").steps().collect::<Vec<_>>(),
            ["user", "tenant id"]
        );
        for refused in ["", ".", "a.", "a..b", "a\"b", "a\\b", "a\nb", "1.2.3.4.5.6.7.8.9", &"x".repeat(257)]
        {
            assert!(Field::new(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn two_limits_by_key_of_the_same_jobs_are_rivals() {
        let keyed = |name: &str, kind: Option<&str>| Limit {
            name: LimitName::new(name).expect("valid"),
            kind: kind.map(|kind| Kind::new(kind).expect("valid")),
            ..limit()
        };
        assert!(keyed("a", None).rivals(&keyed("b", None)));
        assert!(!keyed("a", None).rivals(&keyed("a", None)));
        assert!(!keyed("a", None).rivals(&keyed("b", Some("k"))));
        assert!(!keyed("a", None).rivals(&Limit { key: None, ..limit() }));
    }
}

//! Quantities as people write them: durations (`30s`, `1h30m`), sizes (`64MiB`), counts (`5G`) and moments (RFC 3339,
//! or relative as `2d`). Reading and showing; what shows here reads back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::job::Timestamp;

/// A quantity that could not be read, and what it should look like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown:?} is not a {what}: write it as {example}")]
pub struct QuantityError {
    shown: String,
    what: &'static str,
    example: &'static str,
}

fn refused(text: &str, what: &'static str, example: &'static str) -> QuantityError {
    QuantityError { shown: crate::job::cut(text, 40).to_owned(), what, example }
}

/// A length of time: `200ms`, `30s`, `5m`, `1h30m`, `2d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A number of bytes: `512`, `64KiB`, `64MiB`, `1.5GiB`; `kB`, `MB` and `GB` count by the thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// A large number: `500`, `20k`, `5M`, `5G`, `1T`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

/// A moment: RFC 3339, or so far away from now; the reader knows in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This very instant.
    At(Timestamp),
    /// So far from now.
    Away(Duration),
}

/// Units of time, in nanoseconds, the longest first.
const SPANS: [(&str, u64); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];
const BYTES: [(&str, u64); 9] = [
    ("", 1),
    ("B", 1),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
];
const COUNTS: [(&str, u64); 6] =
    [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000), ("K", 1_000), ("", 1)];

impl Moment {
    /// The instant, if what is relative lies ahead.
    pub fn ahead_of(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Away(delay) => now.after(delay),
        }
    }

    /// The instant, if what is relative lies in the past.
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Away(delay) => now.before(delay),
        }
    }
}

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong =
            || refused(text, "duration", "a number with its unit, such as 200ms, 30s, 5m, 1h30m or 2d");
        let mut rest = text.trim();
        let mut nanos = 0_u64;
        let mut last = u64::MAX;
        while !rest.is_empty() {
            let (number, after) = split_number(rest).ok_or_else(wrong)?;
            let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let unit = unit_of(&SPANS, &after[..end]).filter(|unit| *unit < last).ok_or_else(wrong)?;
            nanos = scaled(number, unit).and_then(|part| nanos.checked_add(part)).ok_or_else(wrong)?;
            (last, rest) = (unit, &after[end..]);
        }
        if last == u64::MAX { Err(wrong()) } else { Ok(Self(Duration::from_nanos(nanos))) }
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong = || refused(text, "size", "a number of bytes, or 64KiB, 64MiB, 1.5GiB");
        number_with(&BYTES, text).map(Self).ok_or_else(wrong)
    }
}

impl FromStr for Count {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let wrong = || refused(text, "count", "a whole number, or 20k, 5M, 5G, 1T");
        number_with(&COUNTS, text).map(Self).ok_or_else(wrong)
    }
}

impl FromStr for Moment {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if let Some(at) = Timestamp::parse_rfc3339(text.trim()) {
            return Ok(Self::At(at));
        }
        let wrong = |_| {
            refused(text, "time", "RFC 3339, such as 2026-01-31T08:00:00Z, or relative, such as 5m or 2d")
        };
        text.parse().map(|Span(delay)| Self::Away(delay)).map_err(wrong)
    }
}

fn number_with(units: &[(&str, u64)], text: &str) -> Option<u64> {
    let (number, unit) = split_number(text.trim())?;
    scaled(number, unit_of(units, unit.trim_start())?)
}

fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.split_at(end))
}

fn unit_of(units: &[(&str, u64)], name: &str) -> Option<u64> {
    units.iter().find(|(unit, _)| *unit == name).map(|(_, factor)| *factor)
}

/// `number` times `unit`, if that is a whole number that fits: exact, also for `1.5`.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, "0"));
    let digits = u32::try_from(fraction.len()).ok().filter(|n| (1..=12).contains(n))?;
    let parts = u128::from(fraction.parse::<u64>().ok()?) * u128::from(unit);
    let whole = u128::from(whole.parse::<u64>().ok()?) * u128::from(unit);
    let ten = 10_u128.pow(digits);
    (parts % ten == 0).then(|| u64::try_from(whole + parts / ten).ok()).flatten()
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX);
        if rest == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        // Weeks are read, but shown as days.
        for (unit, factor) in &SPANS[1..] {
            if rest >= *factor {
                text.push_str(&format!("{}{unit}", rest / factor));
                rest %= factor;
            }
        }
        f.pad(&text)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown_in(&BYTES[2..6], self.0).unwrap_or_else(|| format!("{} B", self.0)).replace(' ', ""))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown_in(&COUNTS[..4], self.0).unwrap_or_else(|| self.0.to_string()))
    }
}

/// In the largest unit in which it is whole.
fn shown_in(units: &[(&str, u64)], number: u64) -> Option<String> {
    let unit = units.iter().find(|(_, factor)| number >= *factor && number.is_multiple_of(*factor));
    unit.map(|(unit, factor)| format!("{}{unit}", number / factor))
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelled(|_| None))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelled(|number| Some(Self(number))))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Spelled(|number| Some(Self(number))))
    }
}

/// Reads text, or a plain number where that needs no unit.
struct Spelled<T>(fn(u64) -> Option<T>);

impl<T: FromStr<Err = QuantityError>> Visitor<'_> for Spelled<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number).ok().and_then(self.0) {
            Some(quantity) => Ok(quantity),
            // Reading it as text words the refusal.
            None => number.to_string().parse().map_err(E::custom),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        (self.0)(number).map_or_else(|| number.to_string().parse().map_err(E::custom), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them_and_show_so_that_they_read_back() {
        let cases = [
            ("200ms", 200, "200ms"),
            ("30s", 30_000, "30s"),
            ("90s", 90_000, "1m30s"),
            ("1h30m", 5_400_000, "1h30m"),
            ("1.5h", 5_400_000, "1h30m"),
            ("2d", 172_800_000, "2d"),
            ("1w", 604_800_000, "7d"),
            ("0s", 0, "0s"),
        ];
        for (text, millis, shown) in cases {
            let span: Span = text.parse().expect(text);
            assert_eq!(span, Span(Duration::from_millis(millis)), "{text}");
            assert_eq!(span.to_string(), shown);
            assert_eq!(shown.parse(), Ok(span));
        }
        for bad in ["", "30", "s", "-1s", "1m1h", "1s1s", "1y", "30 s", "1e9s", "99999999999w", "1..5s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_and_counts_read_exactly() {
        let bytes =
            [("512", 512), ("64MiB", 64 << 20), ("1.5GiB", 3 << 29), ("1 GB", 1_000_000_000), ("7B", 7)];
        for (text, expected) in bytes {
            assert_eq!(text.parse(), Ok(Bytes(expected)), "{text}");
        }
        let counts = [("5G", 5_000_000_000), ("1_000", 1000), ("2.5k", 2500), ("1T", 1_000_000_000_000)];
        for (text, expected) in counts {
            assert_eq!(text.parse(), Ok(Count(expected)), "{text}");
        }
        assert_eq!((Bytes(64 << 20).to_string(), Bytes(1001).to_string()), ("64MiB".into(), "1001B".into()));
        assert_eq!((Count(5_000_000_000).to_string(), Count(7).to_string()), ("5G".into(), "7".into()));
        for bad in ["64M", "MiB", "0.3B", "-1", "99999999999GiB"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_is_an_instant_or_a_distance() {
        let now = Timestamp::from_micros(10_000_000);
        let away: Moment = "5s".parse().expect("relative");
        assert_eq!((away.ahead_of(now).micros(), away.before(now).micros()), (15_000_000, 5_000_000));
        let at: Moment = "1970-01-01T00:00:07Z".parse().expect("an instant");
        assert_eq!(at.ahead_of(now).micros(), 7_000_000);
        insta::assert_snapshot!("tomorrow".parse::<Moment>().expect_err("a word"), @r#""tomorrow" is not a time: write it as RFC 3339, such as 2026-01-31T08:00:00Z, or relative, such as 5m or 2d"#);
    }

    #[test]
    fn a_duration_without_a_unit_is_refused_with_advice() {
        insta::assert_snapshot!("30".parse::<Span>().expect_err("no unit"), @r#""30" is not a duration: write it as a number with its unit, such as 200ms, 30s, 5m, 1h30m or 2d"#);
    }
}

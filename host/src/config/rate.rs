//! A rate as people write it: `10/s`, `100/1m`.

use std::fmt;
use std::str::FromStr;

use crate::job::{Rate, cut};
use crate::quantity::Span;

/// So many in a time, and as many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written(pub Rate);

/// What is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rate: write how many in which time, such as 10/s or 100/1m")]
pub struct RateError(String);

impl FromStr for Written {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let wrong = || RateError(cut(text, 80).to_owned());
        let (permits, time) = text.split_once('/').ok_or_else(wrong)?;
        let permits = permits.trim().parse().map_err(|_| wrong())?;
        let time = time.trim();
        // `s` is one second.
        let time =
            if time.starts_with(|c: char| c.is_ascii_digit()) { time.into() } else { format!("1{time}") };
        let Span(per) = time.parse().map_err(|_| wrong())?;
        Ok(Self(Rate { permits, per, burst: permits }))
    }
}

/// As it is written, but for the burst.
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.permits, Span(self.0.per))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rate_is_how_many_in_which_time() {
        for (text, permits, millis, shown) in
            [("10/s", 10, 1000, "10/1s"), ("100/1m", 100, 60_000, "100/1m"), ("1 / 250ms", 1, 250, "1/250ms")]
        {
            let rate: Written = text.parse().expect(text);
            assert_eq!(rate.0, Rate { permits, per: Duration::from_millis(millis), burst: permits });
            assert_eq!(rate.to_string(), shown);
        }
        for refused in ["", "10", "10/", "/s", "x/s", "1/1x", "-1/s", "1.5/s"] {
            assert!(refused.parse::<Written>().is_err(), "{refused:?}");
        }
    }
}

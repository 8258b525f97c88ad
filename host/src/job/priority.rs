//! The place of a job in its lane.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// 0…32767; what is lower runs first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Priority(u16);

/// A number that is no priority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no priority: a number from 0 to 32767, and lower runs first")]
pub struct NoPriority(String);

impl Priority {
    /// The one that runs last.
    pub const LAST: u16 = i16::MAX as u16;

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(100)
    }
}

impl TryFrom<u16> for Priority {
    type Error = NoPriority;

    fn try_from(number: u16) -> Result<Self, NoPriority> {
        if number <= Self::LAST { Ok(Self(number)) } else { Err(NoPriority(number.to_string())) }
    }
}

impl FromStr for Priority {
    type Err = NoPriority;

    fn from_str(text: &str) -> Result<Self, NoPriority> {
        let number: Option<u16> = text.trim().parse().ok();
        number.and_then(|number| Self::try_from(number).ok()).ok_or_else(|| NoPriority(text.to_owned()))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_from_0_to_32767() {
        let read = |text: &str| text.parse::<Priority>().map(Priority::get).ok();
        let cases = [("0", Some(0)), ("32767", Some(32767)), ("32768", None), ("-1", None), ("high", None)];
        for (text, number) in cases {
            assert_eq!(read(text), number, "{text}");
        }
        assert!(serde_json::from_str::<Priority>("40000").is_err());
        assert_eq!(serde_json::to_string(&Priority::default()).ok().as_deref(), Some("100"));
    }
}

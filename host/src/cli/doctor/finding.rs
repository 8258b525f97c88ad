//! What the doctor found: one line for each thing that was looked at.

use std::fmt;
use std::io::IsTerminal as _;

use serde::Serialize;

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Health {
    /// As it should be.
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// It does not work.
    Fail,
}

/// How one thing stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) check: &'static str,
    pub(super) health: Health,
    /// What was seen.
    pub(super) seen: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, health: Health::Ok, seen: seen.into(), advice: None }
    }

    pub(super) fn warn(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, health: Health::Warn, seen: seen.into(), advice: Some(advice.into()) }
    }

    pub(super) fn fail(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { health: Health::Fail, ..Self::warn(check, seen, advice) }
    }

    pub(super) fn print(&self) {
        let Self { check, health, seen, advice } = self;
        let word = if std::io::stdout().is_terminal() {
            format!("\u{1b}[{}m{health}\u{1b}[0m", health.colour())
        } else {
            health.to_string()
        };
        println!("{word} {check:<14} {}", on_one_line(seen));
        if let Some(advice) = advice {
            println!("{:19} {}", "", on_one_line(advice));
        }
    }
}

impl Health {
    /// Green, yellow, red.
    const fn colour(self) -> u8 {
        match self {
            Self::Ok => 32,
            Self::Warn => 33,
            Self::Fail => 31,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok  ",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

fn on_one_line(text: &str) -> String {
    crate::job::visible(&text.replace('\n', " ")).into_owned()
}

//! The lines of `tests/guests/misbehaviour.toml`: what each worker does, and what it must end as.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use flyball::job::Budget;
use flyball_tests::house;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Misbehaviour {
    pub(crate) case: Vec<Case>,
    pub(crate) load: Vec<Load>,
}

/// A worker that loads, and misbehaves in an attempt.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    guest: String,
    #[serde(default = "no_args")]
    pub(crate) args: String,
    #[serde(default)]
    limits: Limits,
    cancel_after: Option<String>,
    pub(crate) ends: Ends,
}

/// A component that must not be taken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    pub(crate) name: String,
    guest: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    timeout: Option<String>,
    fuel: Option<String>,
    memory: Option<String>,
}

/// How an attempt must end; what is left out does not matter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ends {
    pub(crate) outcome: String,
    pub(crate) error_class: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) message_lacks: Vec<String>,
    pub(crate) message_at_most: Option<usize>,
    pub(crate) detail_at_most: Option<usize>,
    pub(crate) output: Option<String>,
    #[serde(default)]
    pub(crate) log_dropped: bool,
}

impl Misbehaviour {
    pub(crate) fn read() -> Result<Self> {
        let path = house::root().join("tests/guests/misbehaviour.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let read: Self = toml::from_str(&text)?;
        ensure!(read.case.len() > 40 && !read.load.is_empty(), "the list has become short");
        Ok(read)
    }
}

impl Case {
    /// The kind of the guest: a crate, where the list names the file.
    pub(crate) fn guest(&self) -> String {
        self.guest.replace('_', "-")
    }

    pub(crate) fn budget(&self) -> Result<Budget> {
        let host = Budget::default();
        let Limits { timeout, fuel, memory } = &self.limits;
        Ok(Budget {
            timeout: timeout.as_deref().map_or(Ok(host.timeout), duration)?,
            fuel: fuel.as_deref().map_or(Ok(host.fuel), count)?,
            memory_bytes: memory.as_deref().map_or(Ok(host.memory_bytes), count)?,
            ..host
        })
    }

    pub(crate) fn cancel_after(&self) -> Result<Option<Duration>> {
        self.cancel_after.as_deref().map(duration).transpose()
    }
}

impl Load {
    pub(crate) fn guest(&self) -> String {
        self.guest.replace('_', "-")
    }
}

fn no_args() -> String {
    "{}".into()
}

fn duration(text: &str) -> Result<Duration> {
    match split(text)? {
        (number, "ms") => Ok(Duration::from_millis(number)),
        (number, "s") => Ok(Duration::from_secs(number)),
        _ => anyhow::bail!("no duration: {text}"),
    }
}

fn count(text: &str) -> Result<u64> {
    match split(text)? {
        (number, "M") => Ok(number * 1_000_000),
        (number, "G") => Ok(number * 1_000_000_000),
        (number, "T") => Ok(number * 1_000_000_000_000),
        (number, "MiB") => Ok(number << 20),
        _ => anyhow::bail!("no count: {text}"),
    }
}

fn split(text: &str) -> Result<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Ok((number.parse().with_context(|| format!("no number: {text}"))?, unit))
}

//! `<kind>.toml`: what the operator lets a worker use. Everything in it is optional; what it says is enforced.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::document::{Document, DocumentError, Later};
use super::terms::{Wanted, Wishes};
use crate::job::{Backoff, ExecutorClass, Kind, MAX_DELAY, Queue};
use crate::quantity::{Bytes, Count, Span};

/// Keys of the contract that come with a later version.
const LATER: [Later; 1] = [Later {
    key: "grants.http",
    advice: "workers have no network so far; remove the key to load this worker",
}];

/// A manifest as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    limits: LimitsTable,
    retry: RetryTable,
    grants: GrantsTable,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    timeout: Option<Span>,
    fuel: Option<Count>,
    memory: Option<Bytes>,
    output: Option<Bytes>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RetryTable {
    #[serde(deserialize_with = "attempts")]
    max_attempts: Option<u32>,
    #[serde(deserialize_with = "delay")]
    base: Option<Span>,
    #[serde(deserialize_with = "delay")]
    cap: Option<Span>,
    retry_resource: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GrantsTable {
    enqueue: EnqueueTable,
}

/// `[grants.enqueue]`: what a worker's follow-ups may be, beyond its own kind in its job's own queue and class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EnqueueTable {
    pub(super) kinds: Vec<Kind>,
    pub(super) queues: Vec<Queue>,
    pub(super) classes: Vec<ExecutorClass>,
    #[serde(deserialize_with = "priority")]
    pub(super) lowest_priority: Option<u16>,
}

impl Manifest {
    /// Reads a manifest; `file` is what its author knows it as.
    ///
    /// # Errors
    /// [`DocumentError`] says where and what is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, text);
        let manifest: Self = document.read(&LATER)?;
        manifest.check(&document)?;
        Ok(manifest)
    }

    /// What it asks for.
    pub(super) fn wishes(&self) -> Wishes {
        Wishes {
            timeout: self.limits.timeout.map(|Span(timeout)| timeout),
            fuel: self.limits.fuel.map(|Count(fuel)| fuel),
            memory_bytes: self.limits.memory.map(|Bytes(bytes)| bytes),
            output_bytes: self.limits.output.map(|Bytes(bytes)| bytes),
            max_attempts: self.retry.max_attempts,
            base: self.retry.base.map(|Span(base)| base),
            cap: self.retry.cap.map(|Span(cap)| cap),
            retry_resource: self.retry.retry_resource,
        }
    }

    pub(super) fn enqueue(&self) -> &EnqueueTable {
        &self.grants.enqueue
    }

    fn check(&self, document: &Document<'_>) -> Result<(), DocumentError> {
        let wishes = self.wishes();
        let nothing = |wanted: Wanted| {
            document
                .error_at(wanted.key(), "nothing can run with a limit of 0: give it some, or remove the key")
        };
        let smallest = [
            (Wanted::Timeout, wishes.timeout.is_some_and(|timeout| timeout < Duration::from_millis(1))),
            (Wanted::Fuel, wishes.fuel == Some(0)),
            (Wanted::Memory, wishes.memory_bytes == Some(0)),
        ];
        if let Some((wanted, _)) = smallest.iter().find(|(_, empty)| *empty) {
            return Err(nothing(*wanted));
        }
        let base = wishes.base.unwrap_or(Duration::ZERO);
        let cap =
            wishes.cap.unwrap_or(if wishes.base.is_some() { Backoff::default().cap } else { MAX_DELAY });
        if base > cap {
            let (base, cap) = (Span(base), Span(cap));
            let problem =
                format!("the base {base} is more than the cap {cap}: lower it, or set a higher `cap`");
            return Err(document.error_at("retry.base", &problem));
        }
        Ok(())
    }
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let attempts = i64::deserialize(deserializer)?;
    let within = u32::try_from(attempts).ok().filter(|attempts| (1..=32_767).contains(attempts));
    within
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom(format!("{attempts} attempts: must be 1 to 32767")))
}

fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let priority = i64::deserialize(deserializer)?;
    let within = u16::try_from(priority).ok().filter(|priority| *priority <= 32_767);
    within.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!("{priority} is not a priority: 0 to 32767, lower runs first"))
    })
}

fn delay<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    let delay = Span::deserialize(deserializer)?;
    if delay.0 >= Duration::from_millis(1) && delay.0 <= MAX_DELAY {
        return Ok(Some(delay));
    }
    Err(serde::de::Error::custom(format!("a delay of {delay}: must be 1ms to 30d")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Manifest::parse("plugins/x.toml", text).expect_err(text).to_string()
    }

    #[test]
    fn everything_is_optional_and_written_as_people_write_it() {
        assert_eq!(Manifest::parse("x.toml", "").expect("empty"), Manifest::default());
        let text = "[limits]\ntimeout = \"30s\"\nfuel = \"5G\"\nmemory = \"64MiB\"\noutput = 1000\n\
                    [retry]\nmax_attempts = 5\nbase = \"2s\"\ncap = \"10m\"\nretry_resource = true\n\
                    [grants.enqueue]\nkinds = [\"report\"]\nlowest_priority = 50\n";
        let manifest = Manifest::parse("x.toml", text).expect("valid");
        let expected = Wishes {
            timeout: Some(Duration::from_secs(30)),
            fuel: Some(5_000_000_000),
            memory_bytes: Some(64 << 20),
            output_bytes: Some(1000),
            max_attempts: Some(5),
            base: Some(Duration::from_secs(2)),
            cap: Some(Duration::from_secs(600)),
            retry_resource: Some(true),
        };
        assert_eq!(manifest.wishes(), expected);
        assert_eq!(manifest.enqueue().kinds, [Kind::new("report").expect("valid")]);
        assert_eq!(manifest.enqueue().lowest_priority, Some(50));
    }

    #[test]
    fn a_key_that_is_not_acted_on_is_refused_with_its_line() {
        insta::assert_snapshot!(refused("[limits]\ntime_out = \"30s\""), @"plugins/x.toml, line 2, column 1: unknown field `time_out`, expected one of `timeout`, `fuel`, `memory`, `output`");
        insta::assert_snapshot!(refused("[[grants.http]]\nhost = \"https://api.example.com\""), @"plugins/x.toml, line 1, column 10: `grants.http` is not supported yet: workers have no network so far; remove the key to load this worker");
        insta::assert_snapshot!(refused("[grants]\nfiles = [\"/\"]"), @"plugins/x.toml, line 2, column 1: unknown field `files`, expected `enqueue`");
    }

    #[test]
    fn a_value_out_of_its_range_is_refused_with_what_it_may_be() {
        insta::assert_snapshot!(refused("[limits]\ntimeout = 30"), @r#"plugins/x.toml, line 2, column 11: "30" is not a duration: write it as a number with its unit, such as 200ms, 30s, 5m, 1h30m or 2d"#);
        insta::assert_snapshot!(refused("[limits]\nfuel = 0"), @"plugins/x.toml, line 2, column 1: nothing can run with a limit of 0: give it some, or remove the key");
        insta::assert_snapshot!(refused("[limits]\nmemory = -5"), @r#"plugins/x.toml, line 2, column 10: "-5" is not a size: write it as a number of bytes, or 64KiB, 64MiB, 1.5GiB"#);
        insta::assert_snapshot!(refused("[retry]\nmax_attempts = 0"), @"plugins/x.toml, line 2, column 16: 0 attempts: must be 1 to 32767");
        insta::assert_snapshot!(refused("[retry]\nbase = \"5m\""), @"plugins/x.toml, line 2, column 1: the base 5m is more than the cap 1m: lower it, or set a higher `cap`");
        insta::assert_snapshot!(refused("[retry]\ncap = \"40d\""), @"plugins/x.toml, line 2, column 7: a delay of 40d: must be 1ms to 30d");
        insta::assert_snapshot!(refused("[grants.enqueue]\nkinds = [\"Report\"]"), @r#"plugins/x.toml, line 2, column 9: kind "Report" is not valid: 1 to 64 of a-z, 0-9, _ and -, beginning with a letter"#);
        insta::assert_snapshot!(refused("[grants.enqueue]\nlowest_priority = 40000"), @"plugins/x.toml, line 2, column 19: 40000 is not a priority: 0 to 32767, lower runs first");
    }
}

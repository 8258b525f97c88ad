//! `[[schedules]]`: what a file says of a schedule.

use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer};
use toml::Value;

use super::value::Delays;
use crate::job::{ExecutorClass, InsertOpts, Kind, Queue, Slug, Tag};
use crate::quantity::{Count, Span};
use crate::timing::{Overlap, Schedule, Timing, zone};

/// A schedule of a file, checked.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(try_from = "ScheduleTable")]
pub(super) struct FileSchedule(pub(super) Schedule);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleTable {
    slug: Slug,
    kind: Kind,
    cron: Option<Written<Timing>>,
    every: Option<Span>,
    timezone: Option<Written<ZoneName>>,
    args: Option<Value>,
    metadata: Option<toml::Table>,
    queue: Option<Queue>,
    priority: Option<u16>,
    class: Option<ExecutorClass>,
    max_attempts: Option<u32>,
    timeout: Option<Span>,
    fuel: Option<Count>,
    backoff: Option<Delays>,
    #[serde(default)]
    tags: Vec<Tag>,
    backfill_cap: Option<u32>,
    overlap: Option<Overlap>,
}

/// What is written as text.
struct Written<T>(T);

struct ZoneName(chrono_tz::Tz);

impl FromStr for ZoneName {
    type Err = crate::timing::ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        zone(text).map(Self)
    }
}

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}

impl TryFrom<ScheduleTable> for FileSchedule {
    type Error = String;

    fn try_from(table: ScheduleTable) -> Result<Self, String> {
        let slug = table.slug;
        let told = |error: String| format!("schedule {slug}: {error}");
        let timing = match (table.cron, table.every) {
            (Some(Written(timing)), None) => timing,
            (None, Some(Span(interval))) => {
                Timing::every(interval).map_err(|error| told(error.to_string()))?
            }
            (Some(_), Some(_)) => return Err(told("say either `cron` or `every`".into())),
            (None, None) => return Err(told("say when: `cron = \"0 2 * * *\"` or `every = \"5m\"`".into())),
        };
        let mut job = InsertOpts::new(table.kind, table.args.map_or_else(|| "{}".to_owned(), json));
        job.metadata = table.metadata.map(|metadata| json(Value::Table(metadata)));
        job.queue = table.queue.unwrap_or(job.queue);
        job.priority = table.priority.unwrap_or(job.priority);
        job.executor_class = table.class.unwrap_or(job.executor_class);
        job.overrides.max_attempts = table.max_attempts;
        job.overrides.timeout = table.timeout.map(|span| span.0);
        job.overrides.fuel = table.fuel.map(|count| count.0);
        job.overrides.backoff = table.backoff.map(|delays| delays.0);
        job.tags = table.tags;
        let mut schedule = Schedule::new(slug.clone(), timing, job);
        schedule.zone = table.timezone.map_or(schedule.zone, |Written(zone)| zone.0);
        schedule.backfill_cap = table.backfill_cap.unwrap_or(schedule.backfill_cap);
        schedule.overlap = table.overlap.unwrap_or(schedule.overlap);
        schedule.check().map_err(|error| told(error.to_string()))?;
        Ok(Self(schedule))
    }
}

/// The value as JSON; a date, which JSON has none of, is its text.
fn json(value: Value) -> String {
    as_json(value).to_string()
}

fn as_json(value: Value) -> serde_json::Value {
    match value {
        Value::String(text) => text.into(),
        Value::Integer(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Boolean(flag) => flag.into(),
        Value::Datetime(at) => at.to_string().into(),
        Value::Array(items) => items.into_iter().map(as_json).collect(),
        Value::Table(fields) => {
            serde_json::Value::Object(fields.into_iter().map(|(key, value)| (key, as_json(value))).collect())
        }
    }
}

//! `flyball schedules add`.

use anyhow::bail;

use crate::cli::Exit;
use crate::cli::enqueue::read_args;
use crate::client::Client;
use crate::job::{ExecutorClass, InsertOpts, Kind, Queue, Slug, Tag};
use crate::quantity::{Count, Span};
use crate::store::ScheduleKept;
use crate::timing::{Overlap, Schedule, Timing, zone};

/// A schedule. One of this name becomes like it, and goes on where it was unless its times are others.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Add {
    /// Its name.
    slug: Slug,
    /// Which worker is to run its jobs.
    kind: Kind,
    /// What the worker is given: JSON, `@FILE`, or `-` for standard input.
    #[arg(default_value = "{}")]
    args: String,
    /// When it fires: five fields as cron has them, six with seconds first, `@daily`, or `@every 5m`.
    #[arg(long, value_name = "EXPR", required_unless_present = "every", conflicts_with = "every")]
    cron: Option<Timing>,
    /// How often it fires: whole seconds, such as `90s`, `5m` or `1h`.
    #[arg(long, value_name = "TIME")]
    every: Option<Span>,
    /// Where the clock hangs that the expression means, such as `Europe/Berlin`.
    #[arg(long, value_name = "TZ", default_value = "UTC")]
    timezone: String,
    /// The line of its jobs.
    #[arg(long, default_value = "default")]
    queue: Queue,
    /// 0 to 32767; lower runs first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(..=32767))]
    priority: u16,
    /// Failed attempts before a job is given up.
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,
    /// Wall time of one attempt, such as `30s`.
    #[arg(long, value_name = "TIME")]
    timeout: Option<Span>,
    /// Fuel of one attempt, such as `5G`.
    #[arg(long, value_name = "N")]
    fuel: Option<Count>,
    /// The executor class that the node of its jobs must have.
    #[arg(long, value_name = "NAME")]
    class: Option<ExecutorClass>,
    /// A word that its jobs are found by; repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<Tag>,
    /// Free keys of its jobs, as a JSON object.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// How many of the times that were missed, by more than a minute, are made up for: the most recent.
    #[arg(long, value_name = "N", default_value_t = 1)]
    backfill_cap: u32,
    /// What is done while the last job has not ended: allow, or skip.
    #[arg(long, value_name = "WHAT", default_value = "allow")]
    overlap: Overlap,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Add {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let json = self.json;
        let schedule = self.schedule()?;
        let kept = client.keep_schedule(&schedule).await?;
        let slug = &schedule.slug;
        if kept == ScheduleKept::OfConfig {
            bail!("schedule {slug} is of a node's flyball.toml: change it there, or choose another name");
        }
        if json {
            say!("{}", serde_json::json!({ "slug": slug, "answer": kept }));
            return Ok(Exit::Done);
        }
        let word = match kept {
            ScheduleKept::Added => "added",
            ScheduleKept::Changed => "changed",
            ScheduleKept::Unchanged | ScheduleKept::OfConfig => "is like this already",
        };
        say!("{slug} {word}");
        let records = client.schedules().await?;
        if records.iter().any(|record| record.slug == *slug && !record.active) {
            eprintln!("note: it is disabled: `flyball schedules enable {slug}`");
        }
        Ok(Exit::Done)
    }

    fn schedule(self) -> anyhow::Result<Schedule> {
        let timing = match (self.cron, self.every) {
            (Some(timing), _) => timing,
            (None, Some(Span(interval))) => Timing::every(interval)?,
            (None, None) => bail!("say when: --cron EXPR or --every TIME"),
        };
        let mut job = InsertOpts::new(self.kind, read_args(&self.args)?);
        job.queue = self.queue;
        job.priority = self.priority;
        job.overrides.max_attempts = self.max_attempts;
        job.overrides.timeout = self.timeout.map(|span| span.0);
        job.overrides.fuel = self.fuel.map(|count| count.0);
        job.executor_class = self.class.unwrap_or_default();
        job.tags = self.tags;
        job.metadata = self.metadata;
        Ok(Schedule {
            zone: zone(&self.timezone)?,
            backfill_cap: self.backfill_cap,
            overlap: self.overlap,
            ..Schedule::new(self.slug, timing, job)
        })
    }
}

//! `flyball bench retention`: jobs come at a steady rate, and go when they have been kept for long enough.

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use super::place::{Place, PlaceArgs, unfinished};
use super::setting::Setting;
use crate::cli::demo::unless_interrupted;
use crate::cli::{Exit, Globals};
use crate::clock::Boot;
use crate::job::{JobId, JobState, RetentionPolicy};
use crate::quantity::{Bytes, Span};
use crate::store::Footprint;

/// Jobs are enqueued so many times a second, each time together.
const BEATS: u32 = 10;
/// How often the write-ahead log is looked at.
const LOOK: u64 = 5;
/// What the tables may grow by in the last two thirds of the time.
const GROWTH: f64 = 1.25;
/// What the write-ahead log of SQLite stays under.
const WAL: u64 = 64 << 20;

/// Whether the tables stay as large as what they hold.
///
/// A third of the time is given to what is made once; from then on tables and indexes may grow by a quarter, and the
/// write-ahead log of SQLite stays under 64 MiB: if not, this ends with 1.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Retention {
    #[command(flatten)]
    place: PlaceArgs,
    /// Jobs a second.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=100_000))]
    rate: u32,
    /// For so long.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=10_000))]
    minutes: u32,
    /// How long jobs are kept when they have ended.
    #[arg(long, default_value = "1m", value_name = "TIME")]
    keep: Span,
}

/// How things stood at the end of a minute.
#[derive(Clone, Copy, Debug, Serialize)]
struct Sample {
    minute: u32,
    enqueued: u64,
    /// In the tables.
    succeeded: u64,
    unfinished: u64,
    #[serde(flatten)]
    footprint: Footprint,
}

#[derive(Debug, Serialize)]
struct Measured {
    setting: Setting,
    rate: u32,
    keep: String,
    samples: Vec<Sample>,
    /// Between the end of the first third and the end.
    growth: f64,
    largest_wal_bytes: Option<u64>,
}

impl Retention {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let mut place = self.place.prepare(globals).await?;
        place.ground.retain(RetentionPolicy::older_than(self.keep.0));
        let setting = Setting::of(&place);
        if !self.place.json {
            setting.print();
        }
        let node = place.start().await?;
        let samples = unless_interrupted(self.work(&place)).await;
        node.stop().await?;
        let (samples, largest_wal_bytes) = samples?;
        let growth = growth(&samples).context("nothing was measured")?;
        let (rate, keep) = (self.rate, self.keep.to_string());
        let measured = Measured { setting, rate, keep, samples, growth, largest_wal_bytes };
        if self.place.json {
            say!("{}", serde_json::to_string(&measured)?);
        } else {
            measured.print();
        }
        let held = growth <= GROWTH && largest_wal_bytes.is_none_or(|bytes| bytes < WAL);
        Ok(if held { Exit::Done } else { Exit::Failed })
    }

    async fn work(&self, place: &Place) -> anyhow::Result<(Vec<Sample>, Option<u64>)> {
        let (client, clock) = (&place.ground.client, &place.ground.clock);
        let begun = clock.boot();
        let (mut enqueued, mut samples, mut wal) = (0, Vec::new(), None);
        for beat in 0..self.minutes * 60 * BEATS {
            clock.sleep_until(at(begun, beat)).await;
            let now = clock.now();
            let jobs = (0..self.rate / BEATS).map(|_| (JobId::mint(now), place.opts()));
            client.enqueue_many(jobs.collect()).await?;
            enqueued += u64::from(self.rate / BEATS);
            let (second, ends) = ((beat + 1) / BEATS, (beat + 1) % BEATS == 0);
            if ends && u64::from(second).is_multiple_of(LOOK) {
                wal = wal.max(client.footprint().await?.wal_bytes);
            }
            if ends && second.is_multiple_of(60) {
                let sample = sample(place, second / 60, enqueued).await?;
                if !self.place.json {
                    sample.print();
                }
                samples.push(sample);
            }
        }
        Ok((samples, wal))
    }
}

fn at(begun: Boot, beat: u32) -> Boot {
    begun.after(Duration::from_secs(1) * beat / BEATS)
}

async fn sample(place: &Place, minute: u32, enqueued: u64) -> anyhow::Result<Sample> {
    let states = place.ground.client.overview().await?.states;
    let succeeded = states.get(&JobState::Succeeded).copied().unwrap_or(0);
    let (unfinished, footprint) = (unfinished(&place.ground).await?, place.ground.client.footprint().await?);
    Ok(Sample { minute, enqueued, succeeded, unfinished, footprint })
}

/// How much larger the tables are at the end than after a third.
#[expect(clippy::cast_precision_loss, reason = "sizes of tables, and a ratio in two digits")]
fn growth(samples: &[Sample]) -> Option<f64> {
    let third = samples.get((samples.len() / 3).saturating_sub(1))?;
    let last = samples.last()?;
    Some(last.footprint.bytes as f64 / third.footprint.bytes as f64)
}

impl Sample {
    fn print(&self) {
        let Self { minute, enqueued, succeeded, unfinished, footprint } = self;
        let whole = |bytes: u64| Bytes(bytes >> 20 << 20).to_string();
        let mut parts = vec![
            format!("minute {minute}: {enqueued} enqueued, {unfinished} unfinished, {succeeded} kept"),
            format!("tables {}", whole(footprint.bytes)),
        ];
        parts.extend(footprint.free_bytes.map(|bytes| format!("of it free {}", whole(bytes))));
        parts.extend(footprint.wal_bytes.map(|bytes| format!("write-ahead log {}", whole(bytes))));
        parts.extend(footprint.dead_rows.map(|rows| format!("{rows} dead rows")));
        say!("{}", parts.join(", "));
    }
}

impl Measured {
    fn print(&self) {
        let third = (self.samples.len() / 3).max(1);
        say!("growth               {:.2} from minute {third} to the end; {GROWTH} is allowed", self.growth);
        if let Some(bytes) = self.largest_wal_bytes {
            say!("write-ahead log      {} at most; {} is allowed", Bytes(bytes), Bytes(WAL));
        }
    }
}

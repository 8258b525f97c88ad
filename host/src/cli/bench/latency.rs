//! `flyball bench latency`: jobs that come one by one to a node that has nothing else to do.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::marks::Marks;
use super::percentiles::Percentiles;
use super::place::{Place, PlaceArgs};
use super::setting::Setting;
use crate::cli::demo::unless_interrupted;
use crate::cli::table::Table;
use crate::cli::{Exit, Globals};
use crate::clock::Boot;
use crate::job::JobId;

/// A job that has not ended so long after the last was enqueued is not waited for.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// How soon a job starts, and ends, on an idle node.
///
/// Counted from before the job is enqueued, so the commit of the enqueueing is in it, to when its attempt starts, and
/// to when the database has its outcome.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Latency {
    #[command(flatten)]
    place: PlaceArgs,
    /// How many jobs.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    jobs: u32,
    /// Jobs a second; so few that each meets an idle node.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
}

#[derive(Debug, Serialize)]
struct Measured {
    setting: Setting,
    rate: u32,
    enqueue_to_durable: Percentiles,
    enqueue_to_start: Percentiles,
    enqueue_to_finish: Percentiles,
}

/// A job, when it was about to be enqueued, and when that was durable.
type Sent = (JobId, Boot, Boot);

impl Latency {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let place = self.place.prepare(globals).await?;
        let marks = Marks::on(&place.ground.events, place.ground.clock.clone());
        let node = place.start().await?;
        let measured = unless_interrupted(self.measure(&place, &marks)).await;
        node.stop().await?;
        let measured = measured?;
        if self.place.json {
            say!("{}", serde_json::to_string(&measured)?);
        } else {
            measured.print();
        }
        Ok(Exit::Done)
    }

    async fn measure(&self, place: &Place, marks: &Marks) -> anyhow::Result<Measured> {
        // The first job meets cold caches: it is not counted.
        self.send(place, marks, 1).await?;
        let sent = self.send(place, marks, self.jobs).await?;
        let durations = |of: fn(&Sent, (Boot, Boot)) -> Duration| {
            let each = sent.iter().map(|sent| marks.of(sent.0).map(|times| of(sent, times)));
            each.collect::<Option<Vec<_>>>()
                .and_then(Percentiles::of)
                .context("a job ended without having started")
        };
        Ok(Measured {
            setting: Setting::of(place),
            rate: self.rate,
            enqueue_to_durable: durations(|(_, before, durable), _| durable.since(*before))?,
            enqueue_to_start: durations(|(_, before, _), (started, _)| started.since(*before))?,
            enqueue_to_finish: durations(|(_, before, _), (_, ended)| ended.since(*before))?,
        })
    }

    /// Enqueues jobs at the rate, and waits until all have ended.
    async fn send(&self, place: &Place, marks: &Marks, jobs: u32) -> anyhow::Result<Vec<Sent>> {
        let (client, clock) = (&place.ground.client, &place.ground.clock);
        let mut ended = marks.ended();
        let goal = *ended.borrow() + u64::from(jobs);
        let begun = clock.boot();
        let mut sent = Vec::new();
        for nth in 0..jobs {
            clock.sleep_until(begun.after(Duration::from_secs(1) * nth / self.rate)).await;
            let (id, before) = (JobId::mint(clock.now()), clock.boot());
            client.enqueue_many(vec![(id, place.opts())]).await?;
            sent.push((id, before, clock.boot()));
        }
        tokio::select! {
            all = ended.wait_for(|ended| *ended >= goal) => drop(all?),
            () = clock.sleep(ENDS_WITHIN) => {
                bail!("not every job has ended {ENDS_WITHIN:?} after the last was enqueued: see `flyball jobs list`");
            }
        }
        Ok(sent)
    }
}

impl Measured {
    fn print(&self) {
        self.setting.print();
        let mut table = Table::new([&format!("{} jobs a second", self.rate), "p50", "p95", "p99", "max"]);
        let rows = [
            ("enqueue to durable", &self.enqueue_to_durable),
            ("enqueue to start", &self.enqueue_to_start),
            ("enqueue to finish", &self.enqueue_to_finish),
        ];
        for (what, percentiles) in rows {
            let [p50, p95, p99, max] = percentiles.cells();
            table.row([what.to_owned(), p50, p95, p99, max]);
        }
        table.print();
    }
}

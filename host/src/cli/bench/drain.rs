//! `flyball bench drain`: many jobs wait, then a node starts and works them off.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Serialize;

use super::marks::Marks;
use super::place::{Place, PlaceArgs, unfinished};
use super::setting::Setting;
use crate::cli::demo::unless_interrupted;
use crate::cli::{Exit, Globals};
use crate::job::{JobId, JobState, Timestamp};

/// Jobs are enqueued so many at a time.
const CHUNK: u32 = 1000;
/// When nothing has ended for so long, the database is asked whether anything is left.
const STALLS: Duration = Duration::from_secs(30);

/// How fast a node works off jobs that wait.
///
/// Counted from the first claim to when the database has the last outcome. What is counted is what the database has,
/// not what the node believes.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Drain {
    #[command(flatten)]
    place: PlaceArgs,
    /// How many jobs.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    jobs: u32,
}

#[derive(Debug, Serialize)]
struct Measured {
    setting: Setting,
    /// How many jobs the database has more than before, by where they ended.
    ended: BTreeMap<JobState, u64>,
    enqueue_seconds: f64,
    enqueued_per_second: f64,
    drain_seconds: f64,
    jobs_per_second: f64,
    /// Of the node, from before it registered to the last outcome; polls and renewals included.
    statements: u64,
    statements_per_job: f64,
    /// Of this process: node, guests and, on SQLite, the database.
    cpu_us_per_job: f64,
}

impl Drain {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let place = self.place.prepare(globals).await?;
        let before = place.ground.client.overview().await?.states;
        let enqueue = self.enqueue(&place).await?;
        let marks = Marks::on(&place.ground.events, place.ground.clock.clone());
        let (statements, cpu) = (place.ground.store.statements(), cpu());
        let node = place.start().await?;
        let drained = unless_interrupted(drained(&place, &marks, u64::from(self.jobs))).await;
        let used = (place.ground.store.statements() - statements, self::cpu().saturating_sub(cpu));
        let counted = match drained {
            Ok(()) => count(&place, &marks, &before).await,
            Err(error) => Err(error),
        };
        node.stop().await?;
        let (ended, drain) = counted?;
        let measured =
            Measured::new(Setting::of(&place), ended, f64::from(self.jobs), [enqueue, drain], used);
        if self.place.json {
            say!("{}", serde_json::to_string(&measured)?);
        } else {
            measured.print();
        }
        let succeeded = measured.ended.get(&JobState::Succeeded).copied().unwrap_or(0);
        Ok(if succeeded == u64::from(self.jobs) { Exit::Done } else { Exit::Failed })
    }

    async fn enqueue(&self, place: &Place) -> anyhow::Result<Duration> {
        let (client, clock) = (&place.ground.client, &place.ground.clock);
        eprintln!("enqueueing {} jobs", self.jobs);
        let begun = clock.boot();
        let mut left = self.jobs;
        while left > 0 {
            let now = clock.now();
            let chunk = left.min(CHUNK);
            client.enqueue_many((0..chunk).map(|_| (JobId::mint(now), place.opts())).collect()).await?;
            left -= chunk;
        }
        Ok(clock.boot().since(begun))
    }
}

/// Waits until so many jobs have ended.
async fn drained(place: &Place, marks: &Marks, jobs: u64) -> anyhow::Result<()> {
    let mut ended = marks.ended();
    loop {
        let count = *ended.borrow_and_update();
        if count >= jobs {
            return Ok(());
        }
        tokio::select! {
            changed = ended.changed() => changed?,
            () = place.ground.clock.sleep(STALLS) => match unfinished(&place.ground).await? {
                0 => return Ok(()),
                left => bail!("nothing has ended for {STALLS:?}, and {left} jobs are left: see `flyball jobs list`"),
            },
        }
    }
}

/// What the database has more than before, and how long it took from the first claim to the last outcome.
async fn count(
    place: &Place,
    marks: &Marks,
    before: &BTreeMap<JobState, u64>,
) -> anyhow::Result<(BTreeMap<JobState, u64>, Duration)> {
    let after = place.ground.client.overview().await?.states;
    let more = |(state, jobs): (&JobState, &u64)| {
        let more = jobs.saturating_sub(before.get(state).copied().unwrap_or(0));
        (more > 0).then_some((*state, more))
    };
    let ended = after.iter().filter_map(more).collect();
    let claimed = first_claim(place, marks).await?;
    Ok((ended, marks.last().context("no job has ended")?.since(claimed)))
}

/// When the first job was claimed, as its run has it.
async fn first_claim(place: &Place, marks: &Marks) -> anyhow::Result<Timestamp> {
    let runs = place.ground.client.runs(marks.first().context("no job has started")?).await?;
    Ok(runs.last().context("the first job has no run")?.started_at)
}

/// CPU time of this process so far. It is an amount, not a time: no clock of the house tells it.
fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (seconds, nanos) =
        (u64::try_from(used.tv_sec).unwrap_or(0), u32::try_from(used.tv_nsec).unwrap_or(0));
    Duration::new(seconds, nanos)
}

impl Measured {
    fn new(
        setting: Setting,
        ended: BTreeMap<JobState, u64>,
        jobs: f64,
        [enqueue, drain]: [Duration; 2],
        (statements, cpu): (u64, Duration),
    ) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "it is a number of statements, and is shown in three digits"
        )]
        let statements_per_job = statements as f64 / jobs;
        Self {
            setting,
            ended,
            enqueue_seconds: enqueue.as_secs_f64(),
            enqueued_per_second: jobs / enqueue.as_secs_f64(),
            drain_seconds: drain.as_secs_f64(),
            jobs_per_second: jobs / drain.as_secs_f64(),
            statements,
            statements_per_job,
            cpu_us_per_job: cpu.as_secs_f64() * 1e6 / jobs,
        }
    }

    fn print(&self) {
        self.setting.print();
        let ended: Vec<_> = self.ended.iter().map(|(state, jobs)| format!("{jobs} {state}")).collect();
        say!("in the database      {}", ended.join(", "));
        say!("enqueued             {:.2} s, {:.0} jobs/s", self.enqueue_seconds, self.enqueued_per_second);
        say!("worked off           {:.2} s, {:.0} jobs/s", self.drain_seconds, self.jobs_per_second);
        say!("statements           {}, {:.3} a job", self.statements, self.statements_per_job);
        say!("cpu of this process  {:.0} us a job", self.cpu_us_per_job);
    }
}

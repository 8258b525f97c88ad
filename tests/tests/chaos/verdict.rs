//! The judgement when all is over: the tables against the book, job by job and attempt by attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use flyball::Client;
use flyball::job::{JobId, JobRecord, JobState, Outcome, RunId, RunRecord, SettledBy};
use flyball::store::JobFilter;
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::fleet::Fleet;
use super::laws::Laws;
use super::ledger::Ledger;
use super::overlap;
use super::part::{Part, SIDE};

const READ_AT_ONCE: usize = 6;
/// A node's time never runs ahead of the server's; the harness reads the same clock a little later.
const AHEAD: i64 = 500_000;
/// A claim is stamped when it is sent. It may be carried out five seconds later, and the stamp lags by the way back of the
/// last renewal, at most a third of a lease.
const BEHIND: i64 = 7_000_000;

/// A job with its attempts, the first one first.
struct Told {
    job: JobRecord,
    runs: Vec<RunRecord>,
}

/// Judges, and answers the counts.
///
/// # Errors
/// Names what was lost, doubled, charged, or not written down.
pub(crate) async fn pronounce(
    client: &Client,
    fleet: &Fleet<'_>,
    ledger: &Ledger,
    laws: &Laws,
) -> Result<String> {
    let told = read(client).await?;
    let entries = ledger.entries();
    for (id, job) in &laws.ended {
        let now = told.get(id).with_context(|| format!("job {id} had ended, and is lost"))?;
        ensure!(now.job == *job, "what had ended did not stay so:\n{job:?}\n{:?}", now.job);
    }
    for (id, holder) in ledger.duplicates() {
        ensure!(!told.contains_key(&id), "{id} was answered as a duplicate of {holder}, and is there");
        ensure!(told.contains_key(&holder), "the holder of a key, {holder}, is lost");
    }
    let mut kin = Kin::of(&told);
    for (id, entry) in &entries {
        let one = told.get(id).with_context(|| format!("job {id}, {:?}, is lost", entry.part))?;
        judge(one, entry.part).with_context(|| format!("{:?}: {:?}\n{:?}", entry.part, one.job, one.runs))?;
        kin.claim(one, entry.part, &told)?;
    }
    let strangers: Vec<_> =
        told.keys().filter(|id| !entries.contains_key(id) && !kin.claimed.contains(id)).collect();
    ensure!(strangers.is_empty(), "{} jobs that nobody asked for: {:?}", strangers.len(), strangers.first());
    paused(&told, ledger, client)?;
    let stops = overlap::judge(&fleet.witness, &fleet.frozen)?;
    Ok(counts(&told, fleet, ledger, laws, &kin, &stops))
}

async fn read(client: &Client) -> Result<BTreeMap<JobId, Told>> {
    let (mut jobs, mut before) = (Vec::new(), None);
    loop {
        let page = client.list(&JobFilter { before, limit: 1000, ..JobFilter::default() }).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        jobs.extend(page);
    }
    let runs = futures::stream::iter(jobs).map(async |job| {
        let mut runs = client.runs(job.id).await?;
        runs.reverse();
        anyhow::Ok((job.id, Told { job, runs }))
    });
    runs.buffer_unordered(READ_AT_ONCE).try_collect().await
}

/// One job by itself.
fn judge(told: &Told, part: Part) -> Result<()> {
    let Told { job, runs } = told;
    let numbers: Vec<u32> = runs.iter().map(|run| run.attempt).collect();
    ensure!(numbers.iter().copied().eq(1..=job.attempt), "attempts {numbers:?} of {}", job.attempt);
    let count = |outcome| runs.iter().filter(|run| run.outcome == outcome).count();
    for run in runs {
        ensure!(part.may_come_to(run.outcome), "an attempt that ended {}", run.outcome);
        ensure!(is_settled_by_right(run), "settled by {:?}", run.settled_by);
    }
    let success = usize::from(job.state == JobState::Succeeded);
    ensure!(count(Outcome::Success) == success, "{} successes", count(Outcome::Success));
    let last = runs.last().map(|run| run.outcome);
    ensure!(success == 0 || last == Some(Outcome::Success), "it went on after its success");
    ensure!(count(Outcome::Error) == usize::try_from(job.failures)?, "charged {} times", job.failures);
    ensure!(job.failures == part.failures() || part.is_cancelled(), "charged {} times", job.failures);
    let ends: &[JobState] = match part {
        Part::Refused | Part::Spent => &[JobState::Discarded],
        Part::Snoozer => &[JobState::Cancelled],
        Part::Cancelled => &[JobState::Cancelled, JobState::Succeeded],
        Part::Plain
        | Part::Aside
        | Part::Late
        | Part::Failing(_)
        | Part::Family(_)
        | Part::Keyed
        | Part::Active => &[JobState::Succeeded],
    };
    ensure!(ends.contains(&job.state), "it ended {}", job.state);
    Ok(())
}

/// What a worker came to is set by its owner, and a loss by those who find it.
fn is_settled_by_right(run: &RunRecord) -> bool {
    match run.outcome {
        Outcome::Success | Outcome::Error | Outcome::Snooze | Outcome::Timeout => {
            run.settled_by == Some(SettledBy::Owner)
        }
        Outcome::Crashed => matches!(run.settled_by, Some(SettledBy::Sweep | SettledBy::Start)),
        Outcome::Cancelled | Outcome::Released => run.settled_by.is_some(),
        Outcome::Started => false,
    }
}

/// Jobs that other jobs asked for.
#[derive(Default)]
struct Kin {
    children: BTreeMap<RunId, Vec<JobId>>,
    continuations: BTreeMap<RunId, Vec<JobId>>,
    claimed: BTreeSet<JobId>,
}

impl Kin {
    fn of(told: &BTreeMap<JobId, Told>) -> Self {
        let mut kin = Self::default();
        for job in told.values().map(|told| &told.job) {
            match (job.continues_run_id, job.parent_run_id) {
                (Some(run), _) => kin.continuations.entry(run).or_default().push(job.id),
                (None, Some(run)) => kin.children.entry(run).or_default().push(job.id),
                (None, None) => {}
            }
        }
        kin
    }

    /// What each run of a job asked for, exactly once and for nothing but its end.
    fn claim(&mut self, one: &Told, part: Part, told: &BTreeMap<JobId, Told>) -> Result<()> {
        for run in &one.runs {
            let [children, continuations] = [&self.children, &self.continuations]
                .map(|all| all.get(&run.id).cloned().unwrap_or_default());
            let (wanted, then) = match (part, run.outcome) {
                (Part::Family(children), Outcome::Success) => (usize::try_from(children)?, 1),
                (Part::Refused, Outcome::Error) => (1, 0),
                (_, _) => (0, 0),
            };
            ensure!(
                (children.len(), continuations.len()) == (wanted, then),
                "{} follow-ups and {} continuations of {run:?}",
                children.len(),
                continuations.len()
            );
            for id in children.iter().chain(&continuations) {
                judge(&told[id], Part::Plain).with_context(|| format!("{:?}", told[id].job))?;
                self.claimed.insert(*id);
            }
            for id in &continuations {
                all_had_ended(&told[id], wanted)?;
            }
        }
        Ok(())
    }
}

/// The continuation saw every child at its end.
fn all_had_ended(continuation: &Told, wanted: usize) -> Result<()> {
    let output = continuation.runs.last().and_then(|run| run.output.as_ref()).context("no output")?;
    let output: Value = serde_json::from_str(output.as_str())?;
    let children = output["children"].as_array().context("it was told of no children")?;
    let ended = children.iter().filter(|child| child["state"] == "succeeded").count();
    ensure!((children.len(), ended) == (wanted, wanted), "a barrier fired too soon: {output}");
    Ok(())
}

/// No job of the paused queue was claimed between the answer to the pause and the order to resume. By the server's time,
/// which is this machine's: on SQLite a claim is stamped by the node's own clock, which was lied to.
fn paused(told: &BTreeMap<JobId, Told>, ledger: &Ledger, client: &Client) -> Result<()> {
    if client.store().database() == flyball::store::Database::Sqlite {
        return Ok(());
    }
    let aside = told.values().filter(|told| told.job.queue.as_str() == SIDE);
    for run in aside.flat_map(|told| &told.runs) {
        let at = run.started_at.micros();
        for pause in ledger.pauses() {
            if at > pause.from.0 + AHEAD && at < pause.to.0 - BEHIND {
                bail!("claimed while its queue was paused, {pause:?}: {run:?}");
            }
        }
    }
    Ok(())
}

fn counts(
    told: &BTreeMap<JobId, Told>,
    fleet: &Fleet<'_>,
    ledger: &Ledger,
    laws: &Laws,
    kin: &Kin,
    stops: &[Duration],
) -> String {
    let (mut states, mut outcomes) = (BTreeMap::<JobState, usize>::new(), BTreeMap::<Outcome, usize>::new());
    let (mut runs, mut late, mut row) = (0, 0, 0);
    for Told { job, runs: all } in told.values() {
        *states.entry(job.state).or_default() += 1;
        let mut crashes = 0;
        for run in all {
            *outcomes.entry(run.outcome).or_default() += 1;
            late += usize::from(run.late_outcome.is_some());
            crashes = if run.outcome == Outcome::Crashed { crashes + 1 } else { 0 };
            row = row.max(crashes);
        }
        runs += all.len();
    }
    let mut text = String::new();
    let refused = ledger.refused.load(std::sync::atomic::Ordering::Relaxed);
    let full = ledger.full.load(std::sync::atomic::Ordering::Relaxed);
    let lines = [
        format!(
            "{} processes; {} jobs enqueued, {} by jobs; {states:?}",
            fleet.processes,
            told.len() - kin.claimed.len(),
            kin.claimed.len()
        ),
        format!(
            "{runs} runs by outcome {outcomes:?}; outcomes that came too late {late}; losses of one job in a row, at most {row}"
        ),
        format!(
            "{} duplicate keys, {} pauses of a queue; {refused} times clients were refused and tried again, {full} of them for want of space",
            ledger.duplicates().len(),
            ledger.pauses().len()
        ),
        format!(
            "the witness heard {} runs, {} at once; {} overlaps, all of nodes that stood still, which had stopped their own within {:?} of going on; the laws were asked {} times",
            fleet.witness.count(),
            fleet.witness.most_at_once(),
            stops.len(),
            stops.iter().max().copied().unwrap_or_default(),
            laws.asked
        ),
    ];
    for line in lines {
        // Writing to a string does not fail.
        let _written = writeln!(text, "  {line}");
    }
    text
}

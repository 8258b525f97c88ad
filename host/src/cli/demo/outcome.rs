//! How the demo ended: a table, and whether every job ended as it should.

use std::collections::HashMap;

use super::local::Ground;
use super::plan::{Expected, Planned};
use crate::cli::table::Table;
use crate::job::{JobId, JobRecord, RunRecord, cut, visible};
use crate::store::JobFilter;

/// How much of an output, and of a name, is shown.
const HEAD: usize = 48;
const LABEL: usize = 36;
/// More jobs than the demo ever enqueues, follow-ups included.
const PAGE: u32 = 1000;

/// The jobs of the demo as the database has them.
pub(super) struct Report {
    jobs: Vec<Ended>,
    /// What did not end as it should.
    failures: Vec<String>,
}

struct Ended {
    job: JobRecord,
    label: String,
    /// Newest first.
    runs: Vec<RunRecord>,
}

impl Report {
    /// Reads what became of the jobs, and of those that they asked for.
    pub(super) async fn read(ground: &Ground, planned: &[Planned]) -> anyhow::Result<Self> {
        let plans: HashMap<JobId, &Planned> = planned.iter().map(|planned| (planned.id, planned)).collect();
        let page = ground.client.list(&JobFilter { limit: PAGE, ..JobFilter::default() }).await?;
        let mut report = Self { jobs: Vec::new(), failures: Vec::new() };
        for job in page {
            let asked_for = job.parent_id.is_some_and(|parent| plans.contains_key(&parent));
            let (label, expected) = match plans.get(&job.id) {
                Some(planned) => (planned.label.clone(), planned.expected),
                None if asked_for => (follow_up(&job), Expected::Success),
                None => continue,
            };
            let runs = ground.client.runs(job.id).await?;
            if !expected.is_met(job.state, &runs) {
                report
                    .failures
                    .push(format!("{} ({label}) is {}, and should be: {expected}", job.kind, job.state));
            }
            report.jobs.push(Ended { job, label, runs });
        }
        // As they were planned, and then what they asked for.
        let place = |id| planned.iter().position(|planned| planned.id == id).unwrap_or(usize::MAX);
        report.jobs.sort_by_key(|ended| (place(ended.job.id), ended.label.clone()));
        let missing =
            planned.iter().filter(|planned| !report.jobs.iter().any(|ended| ended.job.id == planned.id));
        let missing: Vec<_> =
            missing.map(|planned| format!("{} is not in the database", planned.label)).collect();
        report.failures.extend(missing);
        Ok(report)
    }

    /// What did not end as it should.
    pub(super) fn failures(&self) -> &[String] {
        &self.failures
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn print(&self) {
        let header = ["kind", "job", "outcome", "attempts", "duration", "fuel", "peak memory", "output"];
        let mut table = Table::new(header);
        for Ended { job, label, runs } in &self.jobs {
            let last = runs.first();
            let number = |value: Option<u64>, show: fn(u64) -> String| value.map_or_else(|| "-".into(), show);
            let outcome = last.map_or_else(|| job.state.to_string(), |run| run.outcome.to_string());
            table.row([
                job.kind.to_string(),
                tail(label, LABEL),
                outcome,
                job.attempt.to_string(),
                number(last.and_then(|run| run.duration_ms), millis),
                number(last.and_then(|run| run.fuel_used), fuel),
                number(last.and_then(|run| run.peak_memory_bytes), memory),
                last.map_or_else(String::new, result),
            ]);
        }
        table.print();
    }
}

/// What a follow-up is about, in the words of whoever asked for it.
fn follow_up(job: &JobRecord) -> String {
    let tag = job.tags.iter().find_map(|tag| tag.as_str().strip_prefix("document:"));
    tag.map_or_else(|| "follow-up".into(), |name| format!("{name}, followed up"))
}

/// The head of what an attempt returned, or why it failed.
fn result(run: &RunRecord) -> String {
    match (&run.output, &run.error_message) {
        (Some(output), _) => head(output.as_str(), HEAD),
        (None, Some(message)) => head(message, HEAD),
        (None, None) => String::new(),
    }
}

fn head(text: &str, most: usize) -> String {
    let text = visible(cut(text, most * 4));
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The end of a long name: the beginnings of paths are alike.
fn tail(text: &str, most: usize) -> String {
    let text = visible(text);
    let cut = text.chars().count().saturating_sub(most);
    if cut == 0 {
        return text.into_owned();
    }
    std::iter::once('…').chain(text.chars().skip(cut + 1)).collect()
}

fn millis(millis: u64) -> String {
    if millis == 0 { "<1 ms".into() } else { format!("{millis} ms") }
}

/// About so much, in three digits: `950`, `3.42M`, `12.0G`.
fn fuel(units: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is shown in three digits")]
    let mut rest = units as f64;
    for unit in ["", "k", "M", "G"] {
        if rest < 1000.0 {
            let digits = if unit.is_empty() || rest >= 100.0 {
                0
            } else if rest >= 10.0 {
                1
            } else {
                2
            };
            return format!("{rest:.digits$}{unit}");
        }
        rest /= 1000.0;
    }
    format!("{rest:.1}T")
}

fn memory(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is shown in tenths")]
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    format!("{mebibytes:.1} MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_told_in_about_three_digits() {
        let told = [0, 999, 1234, 34_200_000, 999_600_000, 100_000_000_000, 5_000_000_000_000].map(fuel);
        assert_eq!(told, ["0", "999", "1.23k", "34.2M", "1000M", "100G", "5.0T"]);
        assert_eq!(memory(1_179_648), "1.1 MiB");
    }

    #[test]
    fn what_is_cut_is_cut_on_a_character_and_says_that_it_was() {
        assert_eq!(head("short", 8), "short");
        assert_eq!(head("äöüäöüäöü", 4), "äöüä…");
        assert_eq!((tail("short", 5), tail("a/long/name.md", 8)), ("short".into(), "…name.md".into()));
    }
}

//! The witness of what really ran: no two runs of one job at the same time.
//!
//! It reads the debug log of the real binary, which says `guest started` before the first instruction of a guest and
//! `guest ended` after its store is dropped. For a process that was killed the end is the harness's wait for it. It
//! asks no database: what the store believes is what is being tested.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::{Map, Value};

use crate::ambient::Moment;
use crate::process::Line;

const STARTED: &str = "guest started";
const ENDED: &str = "guest ended";

/// One run of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The run.
    pub run: String,
    /// Its number among the runs of its job, when the log says it.
    pub attempt: Option<u64>,
    /// The process that it ran in.
    pub pid: u32,
    /// From this moment on it may have run.
    pub from: Moment,
    /// From this moment on it ran no more; nothing while nobody has said so.
    pub to: Option<Moment>,
}

/// Two runs of one job that were there at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The job.
    pub job: String,
    /// The run that began first.
    pub first: Interval,
    /// The run that began before the first had ended.
    pub second: Interval,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, first, second } = self;
        write!(f, "job {job}: run {} in process {} from {}", first.run, first.pid, first.from.0)?;
        match first.to {
            Some(to) => write!(f, " to {}", to.0)?,
            None => f.write_str(", not ended")?,
        }
        write!(f, "; run {} in process {} from {}", second.run, second.pid, second.from.0)
    }
}

/// What the logs of all processes together say.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    jobs: BTreeMap<String, Vec<Interval>>,
    faults: Vec<String>,
}

impl Witness {
    /// Takes the whole log of one process, and when the harness had waited for its end (nothing: it still runs).
    pub fn hear<'a>(&mut self, pid: u32, log: impl IntoIterator<Item = &'a Line>, waited: Option<Moment>) {
        let mut open: HashMap<String, (String, Interval)> = HashMap::new();
        for line in log {
            let Some(record) = Record::read(line) else { continue };
            match record.word {
                Word::Started => {
                    let interval = record.begins(pid);
                    if let Some((job, other)) = open.insert(record.run, (record.job, interval)) {
                        self.faults.push(format!("process {pid} started run {} twice", other.run));
                        self.keep(job, other);
                    }
                }
                Word::Ended => match open.remove(&record.run) {
                    Some((job, interval)) => self.keep(job, Interval { to: Some(record.at), ..interval }),
                    None => {
                        self.faults.push(format!("process {pid} ended run {} without a start", record.run))
                    }
                },
            }
        }
        for (job, interval) in open.into_values() {
            self.keep(job, Interval { to: waited, ..interval });
        }
    }

    /// All runs of a job, the earliest first.
    #[must_use]
    pub fn runs(&self, job: &str) -> Vec<Interval> {
        let mut runs = self.jobs.get(job).cloned().unwrap_or_default();
        runs.sort_by_key(|run| run.from);
        runs
    }

    /// The jobs of which something ran.
    pub fn jobs(&self) -> impl Iterator<Item = &str> {
        self.jobs.keys().map(String::as_str)
    }

    /// How many runs were heard of.
    #[must_use]
    pub fn count(&self) -> usize {
        self.jobs.values().map(Vec::len).sum()
    }

    /// The most runs, of whatever jobs, that were there at one moment.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        let ends = |run: &Interval| [(run.from, 1), (run.to.unwrap_or(Moment(i64::MAX)), -1)];
        let mut edges: Vec<(Moment, isize)> = self.jobs.values().flatten().flat_map(ends).collect();
        edges.sort();
        let mut there = 0_isize;
        let heights = edges.into_iter().map(|(_, step)| {
            there += step;
            there
        });
        heights.max().unwrap_or(0).unsigned_abs()
    }

    /// Every run of a job that began before an earlier one had ended.
    #[must_use]
    pub fn overlaps(&self) -> Vec<Overlap> {
        self.jobs.keys().flat_map(|job| self.overlaps_of(job)).collect()
    }

    /// What makes the logs unfit as evidence: a run started twice, an end without a start.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// Fails unless there is evidence, it is sound, and no two runs of one job overlap.
    ///
    /// # Panics
    /// When it is not so; the message shows the first cases.
    pub fn assert_apart(&self) {
        assert!(self.count() > 0, "the witness has heard of no run at all: is the log JSON, at debug?");
        assert!(
            self.faults.is_empty(),
            "{} faults in the logs, the first: {}",
            self.faults.len(),
            self.faults[0]
        );
        let overlaps = self.overlaps();
        let shown: Vec<String> = overlaps.iter().take(10).map(|overlap| format!("  {overlap}")).collect();
        assert!(overlaps.is_empty(), "{} overlaps:\n{}", overlaps.len(), shown.join("\n"));
    }

    fn overlaps_of(&self, job: &str) -> Vec<Overlap> {
        let mut found = Vec::new();
        let mut last: Option<Interval> = None;
        for run in self.runs(job) {
            if let Some(first) = last.take() {
                let apart = first.to.is_some_and(|to| to <= run.from);
                if !apart {
                    let overlap = Overlap { job: job.to_owned(), first: first.clone(), second: run.clone() };
                    found.push(overlap);
                }
                // Whatever ends last is what the next one must not meet.
                let longest = !apart && first.to.is_none_or(|to| run.to.is_some_and(|other| other < to));
                last = Some(if longest { first } else { run });
            } else {
                last = Some(run);
            }
        }
        found
    }

    fn keep(&mut self, job: String, interval: Interval) {
        self.jobs.entry(job).or_default().push(interval);
    }
}

enum Word {
    Started,
    Ended,
}

/// One line that speaks of a guest.
struct Record {
    word: Word,
    at: Moment,
    run: String,
    job: String,
    attempt: Option<u64>,
}

impl Record {
    fn read(line: &Line) -> Option<Self> {
        // Most lines speak of something else: spare them the parser.
        if !line.text.contains("guest ") {
            return None;
        }
        let json = line.json()?;
        let word = match text(&json, "message")?.as_str() {
            STARTED => Word::Started,
            ENDED => Word::Ended,
            _ => return None,
        };
        let attempt = text(&json, "attempt").and_then(|attempt| attempt.parse().ok());
        let (run, job) = (text(&json, "run_id")?, text(&json, "job_id")?);
        let at = written_at(&json).map_or(line.read_at, |at| unstepped(at, line.read_at));
        Some(Self { word, at, run, job, attempt })
    }

    fn begins(&self, pid: u32) -> Interval {
        Interval { run: self.run.clone(), attempt: self.attempt, pid, from: self.at, to: None }
    }
}

/// When the process wrote the line, by the clock that all processes of the machine share.
fn written_at(json: &Map<String, Value>) -> Option<Moment> {
    let stamp = json.get("timestamp")?.as_str()?;
    let at = chrono::DateTime::parse_from_rfc3339(stamp).ok()?;
    Some(Moment(at.timestamp_micros()))
}

/// A stamp that is whole hours from the time at which its line was read is that of a process whose wall clock was
/// stepped by them: told by everybody's clock.
fn unstepped(stamp: Moment, read_at: Moment) -> Moment {
    const HOUR: i64 = 3_600_000_000;
    let hours = (stamp.0 - read_at.0 + HOUR / 2).div_euclid(HOUR);
    Moment(stamp.0 - hours * HOUR)
}

/// A value of this name: of the event, of the line itself, or of the spans around it, the innermost first.
fn text(json: &Map<String, Value>, name: &str) -> Option<String> {
    let spans = json.get("spans").and_then(Value::as_array).into_iter().flatten().rev();
    let places = json.get("fields").into_iter().chain(json.get("span")).chain(spans);
    let found = places.filter_map(|place| place.get(name));
    match json.get(name).into_iter().chain(found).next()? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;

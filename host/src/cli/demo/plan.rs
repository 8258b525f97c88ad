//! The jobs of the demo: one for each file, one that has follow-ups, one that spins, one that fails twice.

use std::fmt;

use serde_json::json;

use super::base64;
use super::material::{Content, Material, Piece};
use crate::job::{InsertOpts, JobId, JobState, Kind, MAX_ARGS_BYTES, Outcome, RunRecord, Timestamp};

/// The most documents that the pipeline is given, and the most bytes of them together.
const PIPELINE_DOCUMENTS: usize = 4;
const PIPELINE_BYTES: usize = 128 << 10;
/// How often the job fails that fails.
const FAILURES: u32 = 2;

/// A job, and how it should end.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) id: JobId,
    /// What it is about, for people.
    pub(super) label: String,
    pub(super) expected: Expected,
    pub(super) opts: InsertOpts,
}

/// How a job should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Its first attempt succeeds.
    Success,
    /// It fails so often, and then succeeds.
    SuccessAfter(u32),
    /// It is stopped by its time-out, and given up.
    Timeout,
}

impl Expected {
    /// Whether a job that stands here, with these runs (newest first), ended as it should.
    pub(super) fn is_met(self, state: JobState, runs: &[RunRecord]) -> bool {
        let ended = |outcome| runs.first().is_some_and(|run| run.outcome == outcome);
        let failed = runs.iter().filter(|run| run.outcome == Outcome::Error).count();
        match self {
            Self::Success => state == JobState::Succeeded && ended(Outcome::Success) && failed == 0,
            Self::SuccessAfter(failures) => {
                let as_often = u32::try_from(failed) == Ok(failures);
                state == JobState::Succeeded && ended(Outcome::Success) && as_often
            }
            Self::Timeout => state == JobState::Discarded && ended(Outcome::Timeout),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("succeeded at its first attempt"),
            Self::SuccessAfter(failures) => write!(f, "succeeded after {failures} failures"),
            Self::Timeout => f.write_str("discarded, stopped by its time-out"),
        }
    }
}

/// The kinds that the demo needs workers for.
pub(super) fn kinds() -> anyhow::Result<Vec<Kind>> {
    let names = ["word-count", "markdown", "thumbnail", "pipeline", "spin", "flaky"];
    Ok(names.into_iter().map(Kind::new).collect::<Result<_, _>>()?)
}

/// One job for each file, and those that show something. What does not fit is added to what was left out.
pub(super) fn plan(material: &mut Material, now: Timestamp) -> anyhow::Result<Vec<Planned>> {
    let job = |kind: &str, label: &str, args: String, expected| {
        let opts = InsertOpts::new(Kind::new(kind)?, args);
        anyhow::Ok(Planned { id: JobId::mint(now), label: label.to_owned(), expected, opts })
    };
    let flaky = json!({ "fail": FAILURES }).to_string();
    let mut jobs = vec![
        // The slowest first: they have to wait most.
        job("flaky", "fails twice, then succeeds", flaky, Expected::SuccessAfter(FAILURES))?,
        job("spin", "never ends, so it is stopped", "{}".into(), Expected::Timeout)?,
    ];
    jobs[1].opts.overrides.max_attempts = Some(1);
    if let Some((args, documents)) = pipeline(&material.files) {
        jobs.push(job("pipeline", &format!("asks for {documents} follow-ups"), args, Expected::Success)?);
    }
    for Piece { name, content } in &material.files {
        let (kind, args) = match content {
            Content::Markdown(text) => ("markdown", json!({ "text": text }).to_string()),
            Content::Text(text) => ("word-count", json!({ "text": text, "top": 3 }).to_string()),
            Content::Picture(bytes) => ("thumbnail", json!({ "image": base64::encoded(bytes) }).to_string()),
        };
        if args.len() > MAX_ARGS_BYTES {
            material.skipped.push(format!("{name}: as JSON it is larger than the args of a job may be"));
            continue;
        }
        jobs.push(job(kind, name, args, Expected::Success)?);
    }
    Ok(jobs)
}

/// The args of the pipeline: a few small documents; `None` if there are none.
fn pipeline(files: &[Piece]) -> Option<(String, usize)> {
    let mut left = PIPELINE_BYTES;
    let mut documents = Vec::new();
    for Piece { name, content } in files {
        let (text, format) = match content {
            Content::Markdown(text) => (text, "markdown"),
            Content::Text(text) => (text, "text"),
            Content::Picture(_) => continue,
        };
        if text.len() <= left && documents.len() < PIPELINE_DOCUMENTS {
            left -= text.len();
            documents.push(json!({ "name": name, "text": text, "format": format }));
        }
    }
    let count = documents.len();
    (count > 0).then(|| (json!({ "documents": documents }).to_string(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material() -> Material {
        let piece = |name: &str, content| Piece { name: name.into(), content };
        let files = vec![
            piece("a.md", Content::Markdown("# A".into())),
            piece("b.txt", Content::Text("\u{1}".repeat(MAX_ARGS_BYTES / 5))),
            piece("c.png", Content::Picture(b"\x89PNG".to_vec())),
        ];
        Material { files, skipped: Vec::new() }
    }

    #[test]
    fn each_file_has_the_worker_for_it_and_what_does_not_fit_is_left_out() {
        let mut material = material();
        let jobs = plan(&mut material, Timestamp::EPOCH).expect("planned");
        let told: Vec<_> = jobs.iter().map(|job| format!("{} {}", job.opts.kind, job.opts.args)).collect();
        insta::assert_snapshot!(told.join("\n"), @r##"
        flaky {"fail":2}
        spin {}
        pipeline {"documents":[{"format":"markdown","name":"a.md","text":"# A"}]}
        markdown {"text":"# A"}
        thumbnail {"image":"iVBORw=="}
        "##);
        insta::assert_snapshot!(material.skipped.join("\n"), @"b.txt: as JSON it is larger than the args of a job may be");
        for kind in jobs.iter().map(|job| &job.opts.kind) {
            assert!(kinds().expect("valid").contains(kind), "{kind}");
        }
    }

    #[test]
    fn a_job_that_was_stopped_did_not_end_as_one_that_should_succeed() {
        assert!(!Expected::Success.is_met(JobState::Discarded, &[]));
        assert!(!Expected::SuccessAfter(0).is_met(JobState::Succeeded, &[]), "it needs a run");
        assert!(!Expected::Timeout.is_met(JobState::Discarded, &[]), "it needs a run");
    }
}

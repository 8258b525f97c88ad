//! `flyball jobs`.

use serde::Serialize;

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals};
use crate::client::Client;
use crate::job::{JobId, JobRecord, JobState, Kind, Queue, RunRecord, Tag, one_line, visible};
use crate::store::{CancelAnswer, JobFilter, RetryAnswer};

/// Look at jobs, retry and cancel them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Jobs {
    /// A page of jobs, newest first.
    List(List),
    /// One job with its runs, newest first.
    Show(Show),
    /// What the worker logged in a run: the newest, unless told which.
    Logs(Logs),
    /// Make jobs available again, with their failures forgotten.
    Retry(Change),
    /// Cancel jobs: those that wait at once, those that run by their node.
    Cancel(Change),
}

/// Which jobs to list.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// In this state; repeatable.
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<JobState>,
    /// Of this kind.
    #[arg(long)]
    kind: Option<Kind>,
    /// In this queue.
    #[arg(long)]
    queue: Option<Queue>,
    /// With this tag.
    #[arg(long)]
    tag: Option<Tag>,
    /// Older than this job: the last one of the page before.
    #[arg(long, value_name = "ID")]
    before: Option<JobId>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Which job to show.
#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The job.
    id: JobId,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Which log to show.
#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// The job.
    id: JobId,
    /// Of this attempt.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Print JSON, one line for each line.
    #[arg(long)]
    json: bool,
}

/// Which jobs to change.
#[derive(Debug, clap::Args)]
pub(super) struct Change {
    /// The jobs.
    #[arg(required = true)]
    ids: Vec<JobId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    job: &'a JobRecord,
    runs: &'a [RunRecord],
}

#[derive(Serialize)]
struct Changed {
    id: JobId,
    answer: serde_json::Value,
}

impl Jobs {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| match self {
            Self::List(list) => list.run(client).await,
            Self::Show(show) => show.run(client).await,
            Self::Logs(logs) => logs.run(client).await,
            Self::Retry(change) => change.retry(client).await,
            Self::Cancel(change) => change.cancel(client).await,
        })
        .await
    }
}

impl List {
    async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let Self { states, kind, queue, tag, before, limit, json } = self;
        let jobs = client.list(&JobFilter { states, kind, queue, tag, before, limit }).await?;
        if json {
            say!("{}", serde_json::to_string(&jobs)?);
            return Ok(Exit::Done);
        }
        let mut table = Table::new(["id", "kind", "queue", "state", "attempt", "scheduled at"]);
        for job in &jobs {
            let (id, kind, queue) = (job.id.to_string(), job.kind.to_string(), job.queue.to_string());
            table.row([
                id,
                kind,
                queue,
                job.state.to_string(),
                job.attempt.to_string(),
                job.scheduled_at.to_string(),
            ]);
        }
        table.print();
        Ok(Exit::Done)
    }
}

impl Show {
    async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let Some(job) = client.job(self.id).await? else { return Ok(not_found(self.id)) };
        let runs = client.runs(self.id).await?;
        if self.json {
            say!("{}", serde_json::to_string(&Shown { job: &job, runs: &runs })?);
            return Ok(Exit::Done);
        }
        print_fields(&serde_json::to_value(&job)?);
        for run in &runs {
            say!("\nrun {}", run.attempt);
            print_fields(&serde_json::to_value(run)?);
        }
        Ok(Exit::Done)
    }
}

impl Logs {
    async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        if client.job(self.id).await?.is_none() {
            return Ok(not_found(self.id));
        }
        let runs = client.runs(self.id).await?;
        let run = runs.iter().find(|run| self.attempt.is_none_or(|attempt| run.attempt == attempt));
        let Some(run) = run else {
            eprintln!("error: job {} has no such attempt; it has {}", self.id, runs.len());
            return Ok(Exit::NotFound);
        };
        for line in client.log(run.id).await? {
            if self.json {
                say!("{}", serde_json::to_string(&line)?);
            } else {
                let fields = line.fields.map(|fields| format!(" {fields}")).unwrap_or_default();
                let text = format!("{}{fields}", line.message);
                say!("{} {:<5} {}", line.at, line.level, one_line(&text));
            }
        }
        if run.log_dropped.is_some_and(|dropped| dropped > 0) {
            eprintln!(
                "{} lines were dropped: the log was over its bound",
                run.log_dropped.unwrap_or_default()
            );
        }
        Ok(Exit::Done)
    }
}

impl Change {
    async fn retry(self, client: &Client) -> anyhow::Result<Exit> {
        let answers = client.retry(&self.ids).await?;
        let told = answers.iter().map(|answer| match answer {
            RetryAnswer::Available => (Exit::Done, "available".to_owned()),
            RetryAnswer::Running => (Exit::Failed, "runs now: cancel it first".into()),
            RetryAnswer::Succeeded => (Exit::Failed, "has succeeded: nothing to retry".into()),
            RetryAnswer::Paused => (Exit::Failed, "is paused: resume it".into()),
            RetryAnswer::KeyTaken(other) => (Exit::Failed, format!("its active key is held by job {other}")),
            RetryAnswer::NotFound => (Exit::NotFound, "not found".into()),
        });
        self.tell(told.collect(), &answers)
    }

    async fn cancel(self, client: &Client) -> anyhow::Result<Exit> {
        let answers = client.cancel(&self.ids).await?;
        let told = answers.iter().map(|answer| match answer {
            CancelAnswer::Cancelled => (Exit::Done, "cancelled".to_owned()),
            CancelAnswer::Requested => (Exit::Done, "runs now: its node was told".into()),
            CancelAnswer::Ended(state) => (Exit::Failed, format!("had ended before: {state}")),
            CancelAnswer::NotFound => (Exit::NotFound, "not found".into()),
        });
        self.tell(told.collect(), &answers)
    }

    /// One line for each job, in order; the exit code is that of the worst.
    fn tell(&self, told: Vec<(Exit, String)>, answers: &[impl Serialize]) -> anyhow::Result<Exit> {
        if self.json {
            let changed = self.ids.iter().zip(answers);
            let changed =
                changed.map(|(id, answer)| Ok(Changed { id: *id, answer: serde_json::to_value(answer)? }));
            say!("{}", serde_json::to_string(&changed.collect::<serde_json::Result<Vec<_>>>()?)?);
        }
        let mut worst = Exit::Done;
        for (id, (exit, words)) in self.ids.iter().zip(told) {
            if !self.json {
                say!("{id} {words}");
            }
            worst = if worst == Exit::Done { exit } else { worst };
        }
        Ok(worst)
    }
}

fn not_found(id: JobId) -> Exit {
    eprintln!("error: there is no job {id}; it may have been deleted by retention");
    Exit::NotFound
}

/// Every column that has a value, one a line. What workers and users wrote is made harmless to look at.
fn print_fields(record: &serde_json::Value) {
    for (name, value) in record.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => say!("  {name:<20} {}", visible(text)),
            other => say!("  {name:<20} {}", visible(&other.to_string())),
        }
    }
}

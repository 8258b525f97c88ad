//! `flyball jobs list`.

use crate::cli::Exit;
use crate::cli::table::Table;
use crate::client::Client;
use crate::job::{JobId, JobState, Kind, Queue, Tag};
use crate::store::JobFilter;

/// Which jobs to list.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
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

impl List {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
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

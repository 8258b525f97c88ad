//! `flyball jobs list`.

use super::choice::Choice;
use crate::cli::Exit;
use crate::cli::table::Table;
use crate::client::Client;
use crate::job::{JobId, JobState};
use crate::store::JobFilter;

/// Which jobs to list.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    #[command(flatten)]
    choice: Choice,
    /// In any state that is not an end.
    #[arg(long, conflicts_with = "states")]
    unfinished: bool,
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
        let Self { choice, unfinished, before, limit, json } = self;
        let mut selection = choice.selection(Vec::new(), client.clock().now());
        if unfinished {
            selection = selection.in_states(JobState::UNFINISHED);
        }
        let jobs = client.list(&JobFilter { selection, before, limit }).await?;
        if json {
            say!("{}", serde_json::to_string(&jobs)?);
            return Ok(Exit::Done);
        }
        let mut table = Table::new(["id", "kind", "queue", "state", "attempt", "scheduled at"]);
        for job in &jobs {
            table.row([
                job.id.to_string(),
                job.kind.to_string(),
                job.queue.to_string(),
                job.state.to_string(),
                job.attempt.to_string(),
                job.scheduled_at.to_string(),
            ]);
        }
        table.print();
        if let Some(last) = jobs.last().filter(|_| jobs.len() == limit as usize) {
            eprintln!("there may be more: --before {}", last.id);
        }
        Ok(Exit::Done)
    }
}

//! `flyball jobs progress`.

use super::not_found;
use crate::cli::Exit;
use crate::cli::table::age;
use crate::client::Client;
use crate::job::{JobId, RunId};
use crate::store::BatchProgress;

/// How far the children of a job have come.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Progress {
    /// The job.
    id: JobId,
    /// Only the children that this run asked for.
    #[arg(long, value_name = "ID")]
    run: Option<RunId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Progress {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        if client.job(self.id).await?.is_none() {
            return Ok(not_found(self.id));
        }
        let progress = client.progress(self.id, self.run).await?;
        if self.json {
            say!("{}", serde_json::to_string(&progress)?);
        } else {
            print(&progress);
        }
        Ok(Exit::Done)
    }
}

fn print(progress: &BatchProgress) {
    let BatchProgress { states, total, terminal, pending, oldest_pending_age, .. } = progress;
    say!("{terminal} of {total} have ended, {pending} have not");
    for (state, count) in states.iter().filter(|(_, count)| **count > 0) {
        say!("  {state:<10} {count}");
    }
    if let Some(oldest) = oldest_pending_age {
        say!("the oldest that has not was enqueued {} ago", age(*oldest));
    }
}

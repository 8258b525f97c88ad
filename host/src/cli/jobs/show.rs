//! `flyball jobs show`: a job, why it does not run, and its runs.

use serde::Serialize;

use super::not_found;
use crate::cli::Exit;
use crate::cli::record::print_fields;
use crate::client::{Client, Why};
use crate::job::{JobId, JobRecord, RunRecord, visible};

/// Which job to show.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Show {
    /// The job.
    id: JobId,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    job: &'a JobRecord,
    /// Why it does not run.
    why: &'a Why,
    runs: &'a [RunRecord],
}

impl Show {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let Some(job) = client.job(self.id).await? else { return Ok(not_found(self.id)) };
        let (runs, why) = (client.runs(self.id).await?, client.why_of(&job).await?);
        if self.json {
            say!("{}", serde_json::to_string(&Shown { job: &job, why: &why, runs: &runs })?);
            return Ok(Exit::Done);
        }
        print_fields(&serde_json::to_value(&job)?);
        say!("\n{}", visible(&why.to_string()));
        for run in &runs {
            say!("\nrun {}", run.attempt);
            print_fields(&serde_json::to_value(run)?);
        }
        Ok(Exit::Done)
    }
}

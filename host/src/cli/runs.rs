//! `flyball runs show`.

use super::connect::with_client;
use super::record::print_fields;
use super::{Exit, Globals};
use crate::job::RunId;

/// Look at the runs of jobs.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Runs {
    /// One run: its outcome, its output, and what it used.
    Show {
        /// The run.
        id: RunId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Runs {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let Self::Show { id, json } = self;
        with_client(globals, async |client| {
            let Some(run) = client.run(id).await? else {
                eprintln!("error: there is no run {id}; `flyball jobs show` names those of a job");
                return Ok(Exit::NotFound);
            };
            if json {
                say!("{}", serde_json::to_string(&run)?);
            } else {
                print_fields(&serde_json::to_value(&run)?);
            }
            Ok(Exit::Done)
        })
        .await
    }
}

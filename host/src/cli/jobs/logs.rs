//! `flyball jobs logs`.

use super::not_found;
use crate::cli::Exit;
use crate::client::Client;
use crate::job::{JobId, one_line};
use crate::store::LogPart;

/// Which log to show.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Logs {
    /// The job.
    id: JobId,
    /// Of this attempt.
    #[arg(long, value_name = "N")]
    attempt: Option<u32>,
    /// Only the last so many lines.
    #[arg(long, value_name = "N", conflicts_with = "after")]
    tail: Option<u32>,
    /// Only the lines after this one, by its place.
    #[arg(long, value_name = "SEQ")]
    after: Option<u32>,
    /// Print JSON, one line for each line.
    #[arg(long)]
    json: bool,
}

impl Logs {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        if client.job(self.id).await?.is_none() {
            return Ok(not_found(self.id));
        }
        let runs = client.runs(self.id).await?;
        let run = runs.iter().find(|run| self.attempt.is_none_or(|attempt| run.attempt == attempt));
        let Some(run) = run else {
            eprintln!("error: job {} has no such attempt; it has {}", self.id, runs.len());
            return Ok(Exit::NotFound);
        };
        let part = self.tail.map_or(LogPart::After { seq: self.after, limit: u32::MAX }, LogPart::Last);
        for line in client.log_part(run.id, part).await? {
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

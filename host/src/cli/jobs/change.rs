//! `flyball jobs retry` and `flyball jobs cancel`.

use serde::Serialize;

use crate::cli::Exit;
use crate::client::Client;
use crate::job::JobId;
use crate::store::{CancelAnswer, RetryAnswer};

/// Which jobs to change.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Change {
    /// The jobs.
    #[arg(required = true)]
    ids: Vec<JobId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Changed {
    id: JobId,
    answer: serde_json::Value,
}

impl Change {
    pub(super) async fn retry(self, client: &Client) -> anyhow::Result<Exit> {
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

    pub(super) async fn cancel(self, client: &Client) -> anyhow::Result<Exit> {
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

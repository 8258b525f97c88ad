//! `flyball schedules remove`, `enable`, `disable` and `run`.

use serde::Serialize;

use super::not_found;
use crate::cli::Exit;
use crate::client::Client;
use crate::job::Slug;
use crate::store::{ScheduleRan, ScheduleRemoved, ScheduleSwitched, Switch};
use crate::timing::Origin;

/// Which schedule.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Change {
    /// Its name.
    slug: Slug,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Change {
    pub(super) async fn remove(self, client: &Client) -> anyhow::Result<Exit> {
        let removed = client.remove_schedule(&self.slug).await?;
        let slug = &self.slug;
        match removed {
            ScheduleRemoved::NotFound => return Ok(not_found(slug)),
            ScheduleRemoved::Removed(Origin::Operator) => {}
            ScheduleRemoved::Removed(Origin::Config) => eprintln!(
                "note: it was of a node's flyball.toml, and comes back when a node starts that still has it: \
                 `flyball schedules disable` is for good"
            ),
        }
        self.tell(&removed, &format!("{slug} removed"))
    }

    pub(super) async fn enable(self, client: &Client) -> anyhow::Result<Exit> {
        self.switch(client, Switch::Enable, "enabled").await
    }

    pub(super) async fn disable(self, client: &Client) -> anyhow::Result<Exit> {
        self.switch(client, Switch::Disable, "disabled").await
    }

    async fn switch(self, client: &Client, switch: Switch, word: &str) -> anyhow::Result<Exit> {
        let switched = client.switch_schedule(&self.slug, switch).await?;
        let slug = &self.slug;
        match &switched {
            ScheduleSwitched::NotFound => Ok(not_found(slug)),
            ScheduleSwitched::Broken(error) => {
                eprintln!("error: schedule {slug} can't be enabled: {error}");
                Ok(Exit::Failed)
            }
            ScheduleSwitched::Switched => self.tell(&switched, &format!("{slug} {word}")),
            ScheduleSwitched::AsItWas => self.tell(&switched, &format!("{slug} is {word} already")),
        }
    }

    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let ran = client.run_schedule(&self.slug).await?;
        let slug = &self.slug;
        match &ran {
            ScheduleRan::NotFound => Ok(not_found(slug)),
            ScheduleRan::Broken(error) => {
                eprintln!("error: schedule {slug} can't be run: {error}");
                Ok(Exit::Failed)
            }
            ScheduleRan::Enqueued(job) => self.tell(&ran, &job.to_string()),
        }
    }

    fn tell(&self, answer: &impl Serialize, words: &str) -> anyhow::Result<Exit> {
        if self.json {
            let answer = serde_json::to_value(answer)?;
            say!("{}", serde_json::json!({ "slug": self.slug, "answer": answer }));
        } else {
            say!("{words}");
        }
        Ok(Exit::Done)
    }
}

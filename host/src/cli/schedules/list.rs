//! `flyball schedules list`.

use crate::cli::Exit;
use crate::cli::table::Table;
use crate::client::Client;
use crate::timing::{Origin, ScheduleRecord};

/// How to list them.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let schedules = client.schedules().await?;
        if self.json {
            say!("{}", serde_json::to_string(&schedules)?);
            return Ok(Exit::Done);
        }
        let mut table =
            Table::new(["slug", "kind", "when", "timezone", "next at", "last enqueued at", "state"]);
        for schedule in &schedules {
            let time = |at: Option<crate::job::Timestamp>| at.map_or_else(|| "-".into(), |at| at.to_string());
            table.row([
                schedule.slug.to_string(),
                schedule.kind.to_string(),
                schedule.expression(),
                schedule.timezone.clone(),
                if schedule.active { time(schedule.next_at) } else { "-".into() },
                time(schedule.last_enqueued_at),
                state(schedule),
            ]);
        }
        table.print();
        Ok(Exit::Done)
    }
}

fn state(schedule: &ScheduleRecord) -> String {
    match (schedule.disabled_by, &schedule.last_error) {
        (Some(Origin::Operator), _) => "disabled".into(),
        (Some(Origin::Config), _) => "left the configuration".into(),
        (None, Some(error)) => format!("broken: {error}"),
        (None, None) => "active".into(),
    }
}

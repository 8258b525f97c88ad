//! `flyball actions list`.

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals};
use crate::job::Timestamp;
use crate::quantity::Moment;
use crate::store::{ActionFilter, ActionRecord};

/// Look at what operators ordered.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Actions {
    /// Who ordered what, when, and for how many jobs; the newest first, a line for each order.
    List {
        /// Since when: RFC 3339, or so long ago as `5m` or `2d`. Without it, as long as orders are kept.
        #[arg(long, value_name = "TIME")]
        since: Option<Moment>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Actions {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let Self::List { since, limit, json } = self;
        with_client(globals, async |client| {
            let now = client.clock().now();
            let since = since.map_or(Timestamp::EPOCH, |since| since.before(now));
            let actions = client.actions(&ActionFilter { since, limit }).await?;
            if json {
                say!("{}", serde_json::to_string(&actions)?);
            } else {
                print(&actions);
            }
            Ok(Exit::Done)
        })
        .await
    }
}

fn print(actions: &[ActionRecord]) {
    if actions.is_empty() {
        say!("no operator has ordered anything that is still kept");
        return;
    }
    let mut table = Table::new(["at", "who", "what", "changed", "left alone", "for", "action"]);
    for action in actions {
        table.row([
            action.at.to_string(),
            action.who.clone(),
            action.what.clone(),
            action.jobs_changed.to_string(),
            action.jobs_left.to_string(),
            meant(action),
            action.action_id.to_string(),
        ]);
    }
    table.print();
}

/// Which jobs were meant, where the order was not about one queue, kind or schedule.
fn meant(action: &ActionRecord) -> String {
    let Some(about) = &action.about else { return String::new() };
    let about: serde_json::Value = serde_json::from_str(about.as_str()).unwrap_or_default();
    match about.get("selection").and_then(serde_json::Value::as_object) {
        None => "jobs that were named".into(),
        Some(selection) if selection.is_empty() => "all".into(),
        Some(selection) => {
            let text = |value: &serde_json::Value| {
                value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('"', "")
            };
            let fields = selection.iter().map(|(name, value)| format!("{name} {}", text(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
    }
}

//! `flyball jobs failures`.

use crate::cli::Exit;
use crate::cli::table::Table;
use crate::client::Client;
use crate::job::{Kind, cut};
use crate::quantity::Moment;
use crate::store::FailureFilter;

/// As much of a message is shown in a table.
const SHOWN: usize = 100;

/// The newest failures.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Failures {
    /// Since when: RFC 3339, or so long ago as `5m` or `2d`.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Moment,
    /// Of this kind.
    #[arg(long)]
    kind: Option<Kind>,
    /// At most so many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Failures {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let Self { since, kind, limit, json } = self;
        let since = since.before(client.clock().now());
        let failures = client.failures(&FailureFilter { since, kind, limit }).await?;
        if json {
            say!("{}", serde_json::to_string(&failures)?);
            return Ok(Exit::Done);
        }
        let mut table = Table::new(["job", "kind", "state", "attempt", "finished at", "class", "message"]);
        for failure in failures {
            let class = failure.error_class.map_or(failure.outcome.as_str(), |class| class.as_str());
            let message = failure.error_message.unwrap_or_default();
            table.row([
                failure.job_id.to_string(),
                failure.kind.to_string(),
                failure.state.to_string(),
                failure.attempt.to_string(),
                failure.finished_at.to_string(),
                class.to_owned(),
                cut(&message, SHOWN).to_owned(),
            ]);
        }
        table.print();
        Ok(Exit::Done)
    }
}

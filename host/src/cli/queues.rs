//! `flyball queues`.

use super::connect::with_client;
use super::table::{Table, age};
use super::{Exit, Globals, flags};
use crate::client::QueueStatus;
use crate::job::{JobState, Queue};
use crate::store::{Flag, Flagged};

/// Look at queues, pause and resume them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Queues {
    /// The queues that have jobs which have not ended or were given up, and those that are paused.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Claim no more jobs of these queues, on any node. Those that run, run on.
    Pause(Named),
    /// Claim the jobs of these queues again.
    Resume(Named),
}

/// Which queues.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// Their names.
    #[arg(required = true, value_name = "QUEUE")]
    queues: Vec<Queue>,
    /// Print JSON, a line for each.
    #[arg(long)]
    json: bool,
}

impl Queues {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| match self {
            Self::List { json } => {
                let queues = client.queues().await?;
                if json {
                    say!("{}", serde_json::to_string(&queues)?);
                } else {
                    print(&queues);
                }
                Ok(Exit::Done)
            }
            Self::Pause(named) => named.set(client, Flag::Pause).await,
            Self::Resume(named) => named.set(client, Flag::Resume).await,
        })
        .await
    }
}

impl Named {
    async fn set(self, client: &crate::client::Client, flag: Flag) -> anyhow::Result<Exit> {
        flags::set(client, self.queues.into_iter().map(Flagged::Queue), flag, self.json).await
    }
}

/// A row for each queue.
pub(super) fn print<'q>(queues: impl IntoIterator<Item = &'q QueueStatus>) {
    let columns =
        ["queue", "claimed", "ready", "oldest ready", "in flight", "ahead", "blocked", "paused", "discarded"];
    let mut table = Table::new(columns);
    for QueueStatus { queue, paused, health } in queues {
        let count = |state| health.states.get(&state).copied().unwrap_or(0).to_string();
        table.row([
            queue.to_string(),
            if *paused { "no: paused" } else { "yes" }.to_owned(),
            health.ready.to_string(),
            health.oldest_ready_age.map_or_else(|| "none".into(), age),
            health.in_flight.to_string(),
            health.scheduled_ahead.to_string(),
            health.blocked.to_string(),
            count(JobState::Paused),
            count(JobState::Discarded),
        ]);
    }
    table.print();
}

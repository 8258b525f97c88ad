//! `flyball kinds`.

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals, flags};
use crate::client::Client;
use crate::job::Kind;
use crate::store::{Flag, Flagged};

/// Look at kinds, pause and resume them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Kinds {
    /// The kinds that nodes have published, and those that are paused.
    List {
        /// Print JSON, with the schema of the args and the defaults.
        #[arg(long)]
        json: bool,
    },
    /// Claim no more jobs of these kinds, on any node. Those that run, run on.
    Pause(Named),
    /// Claim the jobs of these kinds again.
    Resume(Named),
}

/// Which kinds.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// Their names.
    #[arg(required = true, value_name = "KIND")]
    kinds: Vec<Kind>,
    /// Print JSON, a line for each.
    #[arg(long)]
    json: bool,
}

impl Kinds {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| match self {
            Self::List { json } => list(client, json).await,
            Self::Pause(named) => named.set(client, Flag::Pause).await,
            Self::Resume(named) => named.set(client, Flag::Resume).await,
        })
        .await
    }
}

impl Named {
    async fn set(self, client: &Client, flag: Flag) -> anyhow::Result<Exit> {
        flags::set(client, self.kinds.into_iter().map(Flagged::Kind), flag, self.json).await
    }
}

async fn list(client: &Client, json: bool) -> anyhow::Result<Exit> {
    let kinds = client.kinds().await?;
    if json {
        say!("{}", serde_json::to_string(&kinds)?);
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["kind", "claimed", "published at", "summary"]);
    for kind in kinds {
        table.row([
            kind.kind.to_string(),
            if kind.paused { "no: paused" } else { "yes" }.to_owned(),
            kind.published_at.map_or_else(|| "never".into(), |at| at.to_string()),
            kind.summary,
        ]);
    }
    table.print();
    Ok(Exit::Done)
}

//! `flyball limits`.

use anyhow::bail;

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals};
use crate::client::Client;
use crate::config::WrittenRate;
use crate::job::{Field, Kind, Limit, LimitName, Queue, Rate};
use crate::store::{LimitKept, LimitRecord, LimitRemoved};
use crate::timing::Origin;

/// As many keys of a limit are shown.
const LINES: u32 = 100;

/// Look at limits, set and remove them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Limits {
    /// The limits, by name.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// The keys of a limit that have jobs: how many have a permit, and how many wait for one.
    Show(Named),
    /// Set a limit for all nodes, or change the one of this name. Jobs that are there are subject to it in a moment.
    Set(Box<Set>),
    /// Remove a limit: jobs that waited for its permits wait no more.
    Remove(Named),
}

/// Which limit.
#[derive(Debug, clap::Args)]
pub(super) struct Named {
    /// Its name.
    name: LimitName,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a limit is about, and what it allows.
#[derive(Debug, clap::Args)]
pub(super) struct Set {
    /// Its name.
    name: LimitName,
    /// The queue whose jobs it is about.
    #[arg(long, value_name = "NAME", required_unless_present = "kind")]
    queue: Option<Queue>,
    /// The kind whose jobs it is about; with --queue, the jobs of that kind in that queue.
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// Each key apart: the field of the args that has the key, such as `tenant` or `user.id`.
    #[arg(long, value_name = "FIELD", value_parser = Field::new)]
    key: Field,
    /// Jobs that run at once.
    #[arg(long, value_name = "N", required_unless_present = "rate")]
    concurrency: Option<u32>,
    /// Jobs that start in a time, such as `10/s` or `100/1m`.
    #[arg(long, value_name = "N/TIME")]
    rate: Option<WrittenRate>,
    /// Jobs that may start at once after a quiet time; as many as come in the time, if left out.
    #[arg(long, value_name = "N", requires = "rate")]
    burst: Option<u32>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Limits {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| match self {
            Self::List { json } => list(client, json).await,
            Self::Show(named) => named.show(client).await,
            Self::Set(set) => set.run(client).await,
            Self::Remove(named) => named.remove(client).await,
        })
        .await
    }
}

async fn list(client: &Client, json: bool) -> anyhow::Result<Exit> {
    let limits = client.limits().await?;
    if json {
        say!("{}", serde_json::to_string(&limits)?);
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["limit", "queue", "kind", "key", "concurrency", "rate", "burst", "from"]);
    for limit in &limits {
        let word = |word: Option<String>| word.unwrap_or_else(|| "-".into());
        table.row([
            limit.name.to_string(),
            word(limit.queue.as_ref().map(ToString::to_string)),
            word(limit.kind.as_ref().map(ToString::to_string)),
            word(limit.field.clone()),
            word(limit.concurrency.map(|n| n.to_string())),
            word(rate(limit)),
            word(limit.burst.map(|n| n.to_string())),
            limit.origin.as_str().to_owned(),
        ]);
    }
    table.print();
    Ok(Exit::Done)
}

fn rate(limit: &LimitRecord) -> Option<String> {
    let per = std::time::Duration::from_millis(limit.per_ms?);
    Some(WrittenRate(Rate { permits: limit.permits?, per, burst: 1 }).to_string())
}

impl Named {
    async fn show(self, client: &Client) -> anyhow::Result<Exit> {
        if client.limits().await?.iter().all(|limit| limit.name != self.name) {
            return Ok(not_found(&self.name));
        }
        let lines = client.limit_lines(&self.name, LINES).await?;
        if self.json {
            say!("{}", serde_json::to_string(&lines)?);
            return Ok(Exit::Done);
        }
        let mut table = Table::new(["limit key", "permits taken", "blocked"]);
        for line in lines {
            let key = crate::job::visible(&line.limit_key);
            table.row([key.into_owned(), line.permits.to_string(), line.blocked.to_string()]);
        }
        table.print();
        Ok(Exit::Done)
    }

    async fn remove(self, client: &Client) -> anyhow::Result<Exit> {
        let name = &self.name;
        let removed = client.remove_limit(name).await?;
        match removed {
            LimitRemoved::NotFound => return Ok(not_found(name)),
            LimitRemoved::Removed(Origin::Operator) => {}
            LimitRemoved::Removed(Origin::Config) => eprintln!(
                "note: it was of a node's flyball.toml, and comes back when a node starts that still has it"
            ),
        }
        if self.json {
            say!("{}", serde_json::json!({ "limit": name, "answer": removed }));
        } else {
            say!("{name} removed");
        }
        Ok(Exit::Done)
    }
}

fn not_found(name: &LimitName) -> Exit {
    eprintln!("error: there is no limit {name}; `flyball limits list` names those that there are");
    Exit::NotFound
}

impl Set {
    async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let Self { name, queue, kind, key, concurrency, rate, burst, json } = self;
        let rate = rate.map(|WrittenRate(rate)| Rate { burst: burst.unwrap_or(rate.burst), ..rate });
        let limit = Limit { name, queue, kind, key: Some(key), concurrency, rate };
        let (kept, name) = (client.set_limit(&limit).await?, &limit.name);
        let word = match &kept {
            LimitKept::OfConfig => {
                bail!("limit {name} is of a node's flyball.toml: change it there, or choose another name")
            }
            LimitKept::Rival(rival) => bail!(
                "limit {rival} puts the same jobs into lines by key, and a job waits in one line only: change or \
                 remove that one"
            ),
            LimitKept::Added => "set",
            LimitKept::Changed => "changed",
            LimitKept::Unchanged => "is like this already",
        };
        if json {
            say!("{}", serde_json::json!({ "limit": name, "answer": kept }));
        } else {
            say!("{name} {word}");
        }
        Ok(Exit::Done)
    }
}

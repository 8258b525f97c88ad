//! `flyball enqueue`.

mod lines;
mod wait;

use std::io::Read as _;

use anyhow::Context as _;

use super::connect::with_client;
use super::{Exit, Globals};
use crate::job::{
    Backoff, ExecutorClass, InsertOpts, JobId, Key, Kind, Lineage, NameError, OnDiscard, Overrides, Queue,
    Tag, Timestamp, When,
};
use crate::quantity::{Count, Moment, Span};

/// Enqueue one job. Prints its id, and nothing else, on standard output.
#[derive(Debug, clap::Args)]
pub(super) struct Enqueue {
    /// Which worker is to run it.
    kind: Kind,
    /// What the worker is given: JSON, `@FILE`, or `-` for standard input.
    #[arg(default_value = "{}")]
    args: String,
    /// Every line of `@FILE` or `-` is the args of a job of its own; prints their ids in the same order.
    #[arg(long, conflicts_with_all = ["id", "unique_key", "unique_active_key", "wait"])]
    lines: bool,
    /// Wait until the job has ended, at most so long (`--wait=5m`); exit 1 unless it succeeded.
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true)]
    wait: Option<Option<Span>>,
    /// Its id, a UUID of version 7 that the caller minted: enqueued again under it, it is the same job.
    #[arg(long, value_name = "ID")]
    id: Option<JobId>,
    /// Its line.
    #[arg(long, default_value = "default")]
    queue: Queue,
    /// 0 to 32767; lower runs first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(..=32767))]
    priority: u16,
    /// When it is due: RFC 3339, or from now as `5m` or `2d`.
    #[arg(long, visible_alias = "in", value_name = "TIME")]
    at: Option<Moment>,
    /// A key that no other job on record may have: then this prints the id of the one that has it.
    #[arg(long, value_name = "KEY")]
    unique_key: Option<Key>,
    /// A key that no other unfinished job may have.
    #[arg(long, value_name = "KEY")]
    unique_active_key: Option<Key>,
    /// Failed attempts before it is given up.
    #[arg(long, value_name = "N")]
    max_attempts: Option<u32>,
    /// The delay after the first failed attempt, such as `2s`; each further failure doubles it.
    #[arg(long, value_name = "TIME", requires = "backoff_cap")]
    backoff_base: Option<Span>,
    /// The delay never gets longer than this, such as `10m`.
    #[arg(long, value_name = "TIME", requires = "backoff_base")]
    backoff_cap: Option<Span>,
    /// Wall time of one attempt, such as `30s`.
    #[arg(long, value_name = "TIME")]
    timeout: Option<Span>,
    /// Fuel of one attempt, such as `5G`.
    #[arg(long, value_name = "N")]
    fuel: Option<Count>,
    /// The executor class that its node must have.
    #[arg(long, value_name = "NAME")]
    class: Option<ExecutorClass>,
    /// The job that it is a child of.
    #[arg(long, value_name = "ID")]
    parent: Option<JobId>,
    /// The key that it has under a limit by key, instead of the one in its args.
    #[arg(long, value_name = "KEY")]
    limit_key: Option<Key>,
    /// What is enqueued if it is discarded: a kind, and its args as JSON (`null` if left out).
    #[arg(long, value_name = "KIND[=JSON]", value_parser = on_discard)]
    on_discard: Option<OnDiscard>,
    /// A word that it is found by; repeatable.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<Tag>,
    /// The request that caused it, for logs.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Free keys, as a JSON object.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

impl Enqueue {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| {
            let now = client.clock().now();
            if self.lines {
                let source = lines::open(&self.args)?;
                return lines::enqueue(client, &self.opts(now)?, source).await;
            }
            let id = self.id.unwrap_or_else(|| JobId::mint(now));
            let mut opts = self.opts(now)?;
            opts.args = read_args(&self.args)?;
            let inserted = client.enqueue_as(id, opts).await?;
            say!("{}", inserted.id());
            match self.wait {
                None => Ok(Exit::Done),
                Some(bound) => wait::until_ended(client, inserted.id(), bound).await,
            }
        })
        .await
    }

    /// All but the args.
    fn opts(&self, now: Timestamp) -> anyhow::Result<InsertOpts> {
        let mut opts = InsertOpts::new(self.kind.clone(), "");
        opts.metadata = metadata(self.metadata.as_deref(), self.request_id.as_deref())?;
        opts.queue = self.queue.clone();
        opts.priority = self.priority;
        opts.when = self.at.map_or(When::Now, |at| When::At(at.ahead_of(now)));
        opts.unique_key = self.unique_key.clone();
        opts.unique_active_key = self.unique_active_key.clone();
        opts.overrides = Overrides {
            max_attempts: self.max_attempts,
            timeout: self.timeout.map(|span| span.0),
            fuel: self.fuel.map(|count| count.0),
            backoff: self
                .backoff_base
                .zip(self.backoff_cap)
                .map(|(base, cap)| Backoff { base: base.0, cap: cap.0 }),
        };
        opts.executor_class = self.class.clone().unwrap_or_default();
        opts.tags = self.tags.clone();
        opts.limit_key = self.limit_key.clone();
        opts.on_discard = self.on_discard.clone();
        opts.lineage = self.parent.map(Lineage::child_of).unwrap_or_default();
        Ok(opts)
    }
}

fn on_discard(given: &str) -> Result<OnDiscard, NameError> {
    let (kind, args) = given.split_once('=').unwrap_or((given, "null"));
    Ok(OnDiscard { kind: kind.parse()?, args: args.to_owned() })
}

/// JSON as it was given, from a file, or from standard input.
pub(super) fn read_args(given: &str) -> anyhow::Result<String> {
    if let Some(file) = given.strip_prefix('@') {
        return std::fs::read_to_string(file).with_context(|| format!("reading the args from {file}"));
    }
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("reading the args from standard input")?;
    Ok(text)
}

fn metadata(given: Option<&str>, request_id: Option<&str>) -> anyhow::Result<Option<String>> {
    let Some(request_id) = request_id else { return Ok(given.map(str::to_owned)) };
    let mut metadata: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(given.unwrap_or("{}")).context("--metadata must be a JSON object")?;
    metadata.insert("request_id".into(), request_id.into());
    Ok(Some(serde_json::Value::Object(metadata).to_string()))
}

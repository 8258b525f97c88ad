//! `flyball nodes list`.

use serde::Serialize;

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals};
use crate::job::{Timestamp, cut, visible};
use crate::store::{NodeRecord, Skew};

/// As much of a digest is shown in a table, and where it matters.
const SHORT: usize = 8;
const LONG: usize = 16;

/// Look at the nodes.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Nodes {
    /// The nodes, newest first, those that have gone included, with their kinds and what these differ in.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Nodes {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let Self::List { json } = self;
        with_client(globals, async |client| {
            let (nodes, now) = (client.nodes().await?, client.clock().now());
            if json {
                say!("{}", serde_json::to_string(&listed(&nodes, now))?);
            } else {
                print(&nodes, now);
            }
            Ok(Exit::Done)
        })
        .await
    }
}

/// A node, and how it stands beside the others.
#[derive(Serialize)]
pub(super) struct Listed<'n> {
    #[serde(flatten)]
    node: &'n NodeRecord,
    /// `alive`, `left` or `lost`.
    state: &'static str,
    /// Its kinds of which another living node has a different component.
    kinds_differing: Vec<String>,
}

/// The nodes as machines read them.
pub(super) fn listed(nodes: &[NodeRecord], now: Timestamp) -> Vec<Listed<'_>> {
    let skews = skews(nodes, now);
    let differing = |node: &NodeRecord| {
        let differs = |skew: &&Skew| skew.digests.values().any(|nodes| nodes.contains(&node.id));
        skews.iter().filter(differs).map(|skew| skew.kind.clone()).collect()
    };
    let listed = |node| Listed { node, state: state(node, now), kinds_differing: differing(node) };
    nodes.iter().map(listed).collect()
}

fn skews(nodes: &[NodeRecord], now: Timestamp) -> Vec<Skew> {
    Skew::among(nodes.iter().filter(|node| node.is_alive(now)))
}

/// A row for each node, and what differs among those that are alive.
pub(super) fn print(nodes: &[NodeRecord], now: Timestamp) {
    if nodes.is_empty() {
        say!("no node has been started on this database: `flyball serve` starts one");
        return;
    }
    let mut table = Table::new(["node", "name", "pid", "version", "state", "in flight", "of", "kinds"]);
    for Listed { node, state, kinds_differing } in listed(nodes, now) {
        table.row([
            node.id.to_string(),
            node.name.clone(),
            node.pid.to_string(),
            node.version.clone(),
            state.to_owned(),
            node.in_flight.to_string(),
            node.concurrency.to_string(),
            kinds(node, &kinds_differing),
        ]);
    }
    table.print();
    for Skew { kind, digests } in skews(nodes, now) {
        let name = |id| nodes.iter().find(|node| node.id == id).map_or("?", |node| node.name.as_str());
        let on = digests.iter().map(|(digest, ids)| {
            let names: Vec<_> = ids.iter().map(|id| name(*id)).collect();
            format!("{} on {}", cut(digest, LONG), names.join(", "))
        });
        let on: Vec<_> = on.collect();
        say!("\n! {kind} is not the same on all living nodes: {}", visible(&on.join("; ")));
    }
}

/// Each with the beginning of its digest; a `!` marks one that differs from another living node's.
fn kinds(node: &NodeRecord, differing: &[String]) -> String {
    let told = |(kind, digest): (String, String)| {
        let mark = if differing.contains(&kind) { "!" } else { "" };
        format!("{kind}{mark}@{}", cut(&digest, SHORT))
    };
    node.kind_digests().into_iter().map(told).collect::<Vec<_>>().join(" ")
}

fn state(node: &NodeRecord, now: Timestamp) -> &'static str {
    match (node.left_at, node.is_alive(now)) {
        (Some(_), _) => "left",
        (None, true) => "alive",
        (None, false) => "lost",
    }
}

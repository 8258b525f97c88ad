//! `flyball status`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals};
use crate::job::{JobState, Kind, Timestamp};
use crate::store::{NodeRecord, Overview};

/// Jobs by state, lanes that wait, kinds that no node has, nodes.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    overview: Overview,
    /// Kinds with available jobs that no living node has.
    kinds_waiting: BTreeSet<Kind>,
    nodes: Vec<NodeRecord>,
}

impl Status {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| {
            let overview = client.overview().await?;
            let nodes = client.nodes().await?;
            let kinds_waiting = waiting(&overview, &nodes, client.clock().now());
            let report = Report { overview, kinds_waiting, nodes };
            if self.json {
                say!("{}", serde_json::to_string(&report)?);
            } else {
                print(&report, client.clock().now());
            }
            Ok(Exit::Done)
        })
        .await
    }
}

/// A node that has left, was lost, or let its lease pass has nothing to offer.
fn is_alive(node: &NodeRecord, now: Timestamp) -> bool {
    node.lost_at.is_none() && node.expires_at.is_none_or(|expires| expires > now)
}

fn waiting(overview: &Overview, nodes: &[NodeRecord], now: Timestamp) -> BTreeSet<Kind> {
    let alive = nodes.iter().filter(|node| is_alive(node, now));
    let served: BTreeSet<String> = alive.flat_map(kinds_of).collect();
    let lanes = overview.lanes.iter().map(|lane| lane.kind.clone());
    lanes.filter(|kind| !served.contains(kind.as_str())).collect()
}

fn kinds_of(node: &NodeRecord) -> Vec<String> {
    let kinds: serde_json::Value = serde_json::from_str(node.kinds.as_str()).unwrap_or_default();
    match kinds {
        serde_json::Value::Object(kinds) => kinds.into_iter().map(|(kind, _)| kind).collect(),
        _ => Vec::new(),
    }
}

fn print(report: &Report, now: Timestamp) {
    let mut states = Table::new(["state", "jobs"]);
    for state in JobState::ALL {
        states.row([state.to_string(), report.overview.states.get(state).copied().unwrap_or(0).to_string()]);
    }
    states.print();
    if !report.overview.lanes.is_empty() {
        say!();
        let mut lanes = Table::new(["queue", "kind", "class", "available", "oldest due"]);
        for lane in &report.overview.lanes {
            let (queue, kind, class) = (&lane.queue, &lane.kind, &lane.executor_class);
            let since = format!("{:.1?} ago", now.since(lane.oldest_due));
            lanes.row([
                queue.to_string(),
                kind.to_string(),
                class.to_string(),
                lane.available.to_string(),
                since,
            ]);
        }
        lanes.print();
    }
    for kind in &report.kinds_waiting {
        say!("\nno node has the kind {kind}: its jobs wait until {kind}.wasm is in a plugins folder");
    }
    say!();
    let mut nodes = Table::new(["node", "name", "pid", "state", "in flight", "of", "kinds"]);
    for node in &report.nodes {
        let state = if is_alive(node, now) { "alive" } else { "gone" };
        let (busy, of) = (node.in_flight.to_string(), node.concurrency.to_string());
        let kinds = kinds_of(node).join(" ");
        nodes.row([
            node.id.to_string(),
            node.name.clone(),
            node.pid.to_string(),
            state.into(),
            busy,
            of,
            kinds,
        ]);
    }
    nodes.print();
}

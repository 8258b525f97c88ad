//! `flyball status`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals, nodes, queues};
use crate::client::QueueStatus;
use crate::job::{JobState, Kind, Queue, Timestamp};
use crate::store::{KindWaiting, NodeRecord, Overview, QueueHealth};

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
    /// How all queues together stand.
    overall: QueueHealth,
    /// How each queue stands.
    queues: BTreeMap<Queue, QueueStatus>,
    /// Kinds whose jobs are not claimed.
    kinds_paused: Vec<Kind>,
    /// Kinds with available jobs that no living node has.
    kinds_waiting: Vec<KindWaiting>,
    nodes: Vec<NodeRecord>,
}

impl Status {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| {
            let (overview, nodes) = (client.overview().await?, client.nodes().await?);
            let (overall, queues) = (client.health().await?.overall, client.queues().await?);
            let queues = queues.into_iter().map(|status| (status.queue.clone(), status)).collect();
            let paused = client.kinds().await?.into_iter().filter(|kind| kind.paused);
            let kinds_paused = paused.map(|kind| kind.kind).collect();
            let now = client.clock().now();
            let kinds_waiting = overview.kinds_waiting(nodes.iter().filter(|node| node.is_alive(now)));
            let report = Report { overview, overall, queues, kinds_paused, kinds_waiting, nodes };
            if self.json {
                say!("{}", serde_json::to_string(&report)?);
            } else {
                print(&report, now);
            }
            Ok(Exit::Done)
        })
        .await
    }
}

fn print(report: &Report, now: Timestamp) {
    let mut states = Table::new(["state", "jobs"]);
    for state in JobState::ALL {
        states.row([state.to_string(), report.overview.states.get(state).copied().unwrap_or(0).to_string()]);
    }
    states.print();
    if !report.queues.is_empty() {
        say!();
        queues::print(report.queues.values());
    }
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
    for kind in &report.kinds_paused {
        say!("\nthe kind {kind} is paused: `flyball kinds resume {kind}`");
    }
    for KindWaiting { kind, available, oldest_due } in &report.kinds_waiting {
        say!(
            "\nno node has the kind {kind}: {available} of its jobs, the first due since {oldest_due}, wait until \
             {kind}.wasm is in a plugins folder"
        );
    }
    say!();
    nodes::print(&report.nodes, now);
}

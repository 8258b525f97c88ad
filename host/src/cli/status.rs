//! `flyball status`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::connect::with_client;
use super::table::{Table, age};
use super::{Exit, Globals, nodes};
use crate::job::{JobState, Queue, Timestamp};
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
    queues: BTreeMap<Queue, QueueHealth>,
    /// Kinds with available jobs that no living node has.
    kinds_waiting: Vec<KindWaiting>,
    nodes: Vec<NodeRecord>,
}

impl Status {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| {
            let (overview, health, nodes) =
                (client.overview().await?, client.health().await?, client.nodes().await?);
            let now = client.clock().now();
            let kinds_waiting = overview.kinds_waiting(nodes.iter().filter(|node| node.is_alive(now)));
            let report =
                Report { overview, overall: health.overall, queues: health.queues, kinds_waiting, nodes };
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
    print_queues(&report.queues);
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
    for KindWaiting { kind, available, oldest_due } in &report.kinds_waiting {
        say!(
            "\nno node has the kind {kind}: {available} of its jobs, the first due since {oldest_due}, wait until \
             {kind}.wasm is in a plugins folder"
        );
    }
    say!();
    nodes::print(&report.nodes, now);
}

fn print_queues(queues: &BTreeMap<Queue, QueueHealth>) {
    if queues.is_empty() {
        return;
    }
    say!();
    let mut table = Table::new([
        "queue",
        "ready",
        "oldest ready",
        "in flight",
        "ahead",
        "blocked",
        "paused",
        "discarded",
    ]);
    for (queue, health) in queues {
        let count = |state| health.states.get(&state).copied().unwrap_or(0).to_string();
        table.row([
            queue.to_string(),
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

//! Which nodes are alive, and which jobs no living node has a worker for.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use crate::client::Client;
use crate::job::{Kind, Timestamp};
use crate::store::{Database, LaneCount, NodeRecord};

/// Looks at the nodes and at what waits.
pub(super) async fn examine(client: &Client) -> Vec<Finding> {
    let read = async { anyhow::Ok((client.nodes().await?, client.overview().await?)) };
    let (nodes, overview) = match read.await {
        Ok(read) => read,
        Err(error) => {
            return vec![Finding::fail("jobs", format!("{error:#}"), "the database refuses to be read")];
        }
    };
    let now = client.clock().now();
    let database = client.store().database();
    let (alive, gone): (Vec<_>, Vec<_>) =
        nodes.iter().filter(|node| holds_lease(node, now)).partition(|node| match database {
            // There is no lease on SQLite, and its node is on this machine.
            Database::Sqlite => is_running(node.pid),
            Database::Postgres => true,
        });
    let mut findings: Vec<_> = gone.into_iter().map(died).collect();
    findings.push(match alive.as_slice() {
        [] => Finding::warn("nodes", "none is alive", "`flyball serve` starts one; jobs wait until then"),
        alive => Finding::ok("nodes", alive.iter().map(|node| told(node)).collect::<Vec<_>>().join("; ")),
    });
    findings.extend(waiting(&overview.lanes, &alive));
    findings
}

fn holds_lease(node: &NodeRecord, now: Timestamp) -> bool {
    node.lost_at.is_none() && node.expires_at.is_none_or(|expires| expires > now)
}

fn is_running(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    // A process of another user refuses the question, so it is there.
    pid.is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

fn died(node: &NodeRecord) -> Finding {
    let seen = format!("{} (pid {}) did not leave in order, and runs no more", node.name, node.pid);
    Finding::warn("nodes", seen, "what it ran is taken back when the next `flyball serve` starts")
}

fn told(node: &NodeRecord) -> String {
    let NodeRecord { name, pid, version, in_flight, concurrency, .. } = node;
    format!("{name} (pid {pid}, {version}) runs {in_flight} of {concurrency}")
}

fn waiting(lanes: &[LaneCount], alive: &[&NodeRecord]) -> Vec<Finding> {
    let served: BTreeSet<String> = alive.iter().flat_map(|node| kinds_of(node)).collect();
    let mut waiting: BTreeMap<&Kind, u64> = BTreeMap::new();
    for lane in lanes.iter().filter(|lane| !served.contains(lane.kind.as_str())) {
        *waiting.entry(&lane.kind).or_default() += lane.available;
    }
    if waiting.is_empty() {
        return vec![Finding::ok("kinds", "there is a worker for every job that waits")];
    }
    let told = |(kind, jobs): (&Kind, u64)| {
        let seen = format!("no living node has the kind {kind}, and jobs wait for it: {jobs}");
        Finding::warn("kinds", seen, format!("put {kind}.wasm into the plugins folder of a node"))
    };
    waiting.into_iter().map(told).collect()
}

fn kinds_of(node: &NodeRecord) -> Vec<String> {
    let kinds: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(node.kinds.as_str()).unwrap_or_default();
    kinds.into_keys().collect()
}

//! Which nodes are alive, and which jobs no living node has a worker for.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::lag;
use crate::client::Client;
use crate::config::Config;
use crate::job::RetentionPolicy;
use crate::store::{Database, FleetPolicy, KindWaiting, NodeRecord, Overview, Skew};

/// Looks at the nodes and at what waits.
pub(super) async fn examine(client: &Client, config: &Config) -> Vec<Finding> {
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
        nodes.iter().filter(|node| node.is_alive(now)).partition(|node| match database {
            // There is no lease on SQLite, and its node is on this machine.
            Database::Sqlite => is_running(node.pid),
            Database::Postgres => true,
        });
    let mut findings: Vec<_> = gone.into_iter().map(died).collect();
    findings.push(match alive.as_slice() {
        [] => Finding::warn("nodes", "none is alive", "`flyball serve` starts one; jobs wait until then"),
        alive => Finding::ok("nodes", alive.iter().map(|node| told(node)).collect::<Vec<_>>().join("; ")),
    });
    findings.extend(alike(&alive));
    findings.extend(kept(&alive, database));
    findings.extend(waiting(&overview, &alive));
    findings.extend(lag::examine(client, &nodes, &alive).await);
    findings.extend(retention(client, &config.retention).await);
    findings
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

/// Whether living nodes have the same workers, and the same program.
fn alike(alive: &[&NodeRecord]) -> Vec<Finding> {
    let mut findings: Vec<_> = Skew::among(alive.iter().copied())
        .into_iter()
        .map(|Skew { kind, digests }| {
            let seen = format!("living nodes have {} different versions of the kind {kind}", digests.len());
            let advice =
                "`flyball nodes list` shows which; it is so while a rollout is under way, and not for long";
            Finding::warn("rollout", seen, advice)
        })
        .collect();
    let versions: BTreeSet<&str> = alive.iter().map(|node| node.version.as_str()).collect();
    if versions.len() > 1 {
        let versions: Vec<_> = versions.into_iter().collect();
        let seen = format!("living nodes are of flyball {}", versions.join(" and "));
        findings.push(Finding::warn("rollout", seen, "start the older ones anew with the newer program"));
    }
    findings
}

/// Whether somebody sweeps, fires schedules and deletes.
fn kept(alive: &[&NodeRecord], database: Database) -> Option<Finding> {
    let nobody = !alive.is_empty() && alive.iter().all(|node| node.retention.is_none());
    let seen = match database {
        Database::Sqlite => {
            "the living node takes no part in maintenance: no schedule fires, nothing is deleted"
        }
        Database::Postgres => {
            "no living node takes part in maintenance: nothing is taken back from dead nodes, no schedule fires, \
             nothing is deleted"
        }
    };
    nobody.then(|| Finding::warn("maintenance", seen, "start one node without --no-maintenance"))
}

/// Whether all that may delete agree on how long things are kept.
async fn retention(client: &Client, own: &RetentionPolicy) -> Option<Finding> {
    match client.fleet_policy(own).await {
        Ok(FleetPolicy { disagreement: Some(nodes), .. }) => {
            let seen = format!("not kept as this configuration says, and the longest counts: {nodes}");
            Some(Finding::warn("retention", seen, "give all nodes and `flyball prune` the same [retention]"))
        }
        Ok(FleetPolicy { disagreement: None, .. }) => None,
        Err(error) => {
            Some(Finding::fail("retention", error.to_string(), "nothing is deleted until it is read"))
        }
    }
}

fn waiting(overview: &Overview, alive: &[&NodeRecord]) -> Vec<Finding> {
    let waiting = overview.kinds_waiting(alive.iter().copied());
    if waiting.is_empty() {
        return vec![Finding::ok("kinds", "there is a worker for every job that waits")];
    }
    let told = |KindWaiting { kind, available, .. }: KindWaiting| {
        let seen = format!("no living node has the kind {kind}, and jobs wait for it: {available}");
        Finding::warn("kinds", seen, format!("put {kind}.wasm into the plugins folder of a node"))
    };
    waiting.into_iter().map(told).collect()
}

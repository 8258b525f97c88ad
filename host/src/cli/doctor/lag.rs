//! Whether work gets on: what has waited for long, who holds it and is gone, what grows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::finding::Finding;
use crate::cli::table::age;
use crate::client::Client;
use crate::job::{JobState, NodeId, Timestamp};
use crate::quantity::Bytes;
use crate::store::{Footprint, JobFilter, NodeRecord, Selection};

/// What could run has waited for long after this.
const WAITED: Duration = Duration::from_secs(300);
/// A write-ahead log that is larger is held by somebody.
const WAL: u64 = 64 << 20;
/// Dead rows that a server gets rid of by itself.
const DEAD: u64 = 1_000_000;
/// A node whose lease was not steady for so long has a clock or a network that is not.
const STEADY: Duration = Duration::from_secs(300);

/// Looks at what waits, runs and grows. `nodes` are all that are known, `alive` those that live.
pub(super) async fn examine(client: &Client, nodes: &[NodeRecord], alive: &[&NodeRecord]) -> Vec<Finding> {
    let now = client.clock().now();
    let read = async {
        let running = Selection::default().in_states([JobState::Running]);
        let running = client.list(&JobFilter { selection: running, before: None, limit: 1000 }).await?;
        anyhow::Ok((client.health().await?.overall.oldest_ready_age, client.footprint().await?, running))
    };
    let (oldest, footprint, running) = match read.await {
        Ok(read) => read,
        Err(error) => {
            return vec![Finding::fail("lag", format!("{error:#}"), "the database refuses to be read")];
        }
    };
    let mut held: BTreeMap<NodeId, u64> = BTreeMap::new();
    for node in running.iter().filter_map(|job| job.node_id) {
        *held.entry(node).or_default() += 1;
    }
    let mut findings = vec![waited(oldest, alive.len())];
    findings.extend(orphaned(&held, nodes, alive));
    findings.extend(grown(&footprint));
    findings.extend(unsteady(alive, now));
    findings
}

fn waited(oldest: Option<Duration>, alive: usize) -> Finding {
    match oldest {
        Some(oldest) if oldest > WAITED && alive > 0 => {
            let seen = format!("a job that could run has waited for {}", age(oldest));
            let advice =
                "`flyball status` shows in which lane, and `flyball jobs show ID` why it does not run";
            Finding::warn("lag", seen, advice)
        }
        Some(oldest) => {
            Finding::ok("lag", format!("the oldest job that could run has waited for {}", age(oldest)))
        }
        None => Finding::ok("lag", "nothing waits that could run"),
    }
}

fn orphaned(held: &BTreeMap<NodeId, u64>, nodes: &[NodeRecord], alive: &[&NodeRecord]) -> Vec<Finding> {
    let gone = held.iter().filter(|(node, _)| alive.iter().all(|alive| alive.id != **node));
    let told = gone.map(|(node, count)| {
        let known = nodes.iter().find(|known| known.id == *node);
        let name = known.map_or_else(|| node.to_string(), |known| known.name.clone());
        let seen = format!("the node {name} is gone, and holds {count} jobs");
        let advice = "a living node with maintenance takes them back within a lease and a sweep; on SQLite the next \
                      `flyball serve` does";
        Finding::warn("orphans", seen, advice)
    });
    told.collect()
}

fn grown(footprint: &Footprint) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Footprint { bytes, free_bytes, wal_bytes, dead_rows } = *footprint;
    if let Some(wal) = wal_bytes.filter(|wal| *wal > WAL) {
        let seen = format!("the write-ahead log has {}", Bytes(wal));
        findings.push(Finding::warn("size", seen, "somebody reads in one transaction for minutes: end it"));
    }
    if let Some(free) = free_bytes.filter(|free| *free > WAL && *free > bytes / 2) {
        let seen = format!("{} of the file's {} are free", Bytes(free), Bytes(bytes));
        findings.push(Finding::warn(
            "size",
            seen,
            "it is used again; `VACUUM`, while no node runs, gives it back",
        ));
    }
    if let Some(dead) = dead_rows.filter(|dead| *dead > DEAD) {
        let seen = format!("{dead} dead rows wait for a vacuum");
        findings.push(Finding::warn(
            "size",
            seen,
            "does autovacuum come to them? VACUUM flyball.jobs does it now",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("size", format!("{}", Bytes(bytes))));
    }
    findings
}

/// A lease that is renewed late, or by a clock that is stepped, begins anew again and again.
fn unsteady(alive: &[&NodeRecord], now: Timestamp) -> Vec<Finding> {
    let shaken = |node: &&&NodeRecord| {
        node.steady_since.is_some_and(|since| {
            since.since(node.started_at) > Duration::from_secs(60) && now.since(since) < STEADY
        })
    };
    let told = alive.iter().filter(shaken).map(|node| {
        let since = node.steady_since.unwrap_or(now);
        let seen = format!(
            "{} renewed its lease late, or its clock and the database's parted, at {since}",
            node.name
        );
        Finding::warn("clock", seen, "synchronise clocks by NTP; look at its network and at its load")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Health;
    use crate::job::Json;

    fn node(steady: i64) -> NodeRecord {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        NodeRecord {
            id: NodeId::mint(at(0)),
            name: "ada".into(),
            pid: 1,
            version: "0".into(),
            started_at: at(0),
            expires_at: None,
            steady_since: Some(at(steady)),
            lost_at: None,
            left_at: None,
            serves: Json::empty_object(),
            kinds: Json::empty_object(),
            retention: None,
            concurrency: 1,
            in_flight: 0,
        }
    }

    #[test]
    fn what_waits_for_long_is_told_where_a_node_could_run_it() {
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        assert_eq!(waited(minutes(6), 1).health, Health::Warn);
        assert_eq!(waited(minutes(6), 0).health, Health::Ok, "that no node is alive is told elsewhere");
        assert_eq!(waited(minutes(1), 1).health, Health::Ok);
        assert_eq!(waited(None, 1).health, Health::Ok);
    }

    #[test]
    fn jobs_of_a_node_that_is_gone_are_told() {
        let (gone, alive) = (node(0), node(0));
        let held = BTreeMap::from([(gone.id, 3), (alive.id, 2)]);
        let told = orphaned(&held, &[gone.clone(), alive.clone()], &[&alive]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].seen, "the node ada is gone, and holds 3 jobs");
    }

    #[test]
    fn what_has_grown_is_told() {
        let health = |footprint| grown(&footprint).iter().map(|finding| finding.health).max();
        let small = Footprint { bytes: 4096, free_bytes: Some(0), wal_bytes: Some(0), dead_rows: None };
        assert_eq!(health(small), Some(Health::Ok));
        assert_eq!(health(Footprint { wal_bytes: Some(1 << 30), ..small }), Some(Health::Warn));
        let hollow = Footprint { bytes: 1 << 30, free_bytes: Some(900 << 20), ..small };
        assert_eq!(health(hollow), Some(Health::Warn));
        assert_eq!(health(Footprint { dead_rows: Some(5_000_000), ..small }), Some(Health::Warn));
    }

    #[test]
    fn a_node_that_lately_lost_its_step_is_told() {
        let now = Timestamp::from_micros(10_000 * 1_000_000);
        assert_eq!(unsteady(&[&node(0)], now).len(), 0, "steady since it began");
        assert_eq!(unsteady(&[&node(9_900)], now).len(), 1);
        assert_eq!(unsteady(&[&node(5_000)], now).len(), 0, "long ago");
    }
}

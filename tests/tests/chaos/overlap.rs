//! Two runs of one job at one time: never while both hold the lease.
//!
//! The witness hears when guests begin and end. A node that stood still past its lease holds guests that do nothing, and
//! must stop them when it goes on: what it then has left is no longer its own. Nothing else excuses an overlap: a node that
//! can't renew stops its guests before its lease ends, and one that was killed runs none.

use std::time::Duration;

use anyhow::{Result, ensure};
use flyball_tests::witness::{Overlap, Witness};

use super::fleet::Frozen;

/// For a node that goes on to stop what is no longer its own: some ticks of the epoch, and on a machine that does much else
/// some seconds. Well under the twenty for which the longest jobs sleep, so that one which is not stopped is found.
const GOES_ON: Duration = Duration::from_secs(12);

/// Answers how long after its node went on each of the overlapping attempts was stopped.
///
/// # Errors
/// Names the first overlaps that nothing excuses.
pub(crate) fn judge(witness: &Witness, frozen: &[Frozen]) -> Result<Vec<Duration>> {
    ensure!(witness.count() > 0, "the witness has heard of no run at all");
    ensure!(witness.faults().is_empty(), "the logs are no evidence: {}", witness.faults()[0]);
    let (mut stops, mut found) = (Vec::new(), Vec::new());
    for overlap in witness.overlaps() {
        match excuse(&overlap, frozen) {
            Some(stop) => stops.push(stop),
            None => found.push(overlap.to_string()),
        }
    }
    let shown: Vec<&str> = found.iter().take(10).map(String::as_str).collect();
    ensure!(
        found.is_empty(),
        "{} overlaps that nothing excuses:\n{}\n{frozen:?}",
        found.len(),
        shown.join("\n")
    );
    Ok(stops)
}

fn excuse(overlap: &Overlap, frozen: &[Frozen]) -> Option<Duration> {
    let Overlap { first, second, .. } = overlap;
    let still = frozen.iter().find(|frozen| {
        frozen.pid == first.pid && frozen.from <= second.from && second.from.since(frozen.thawed) < GOES_ON
    })?;
    let stop = first.to?.since(still.thawed);
    (first.from < still.thawed && stop < GOES_ON).then_some(stop)
}

#[cfg(test)]
mod tests {
    use flyball_tests::ambient::Moment;
    use flyball_tests::witness::Interval;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn run(pid: u32, from: i64, to: Option<i64>) -> Interval {
        let (run, to) = ("r".to_owned(), to.map(|to| Moment(to * SECOND)));
        Interval { run, attempt: None, pid, from: Moment(from * SECOND), to }
    }

    #[test]
    fn an_overlap_is_excused_only_by_a_node_that_stood_still_and_stopped_soon_after() {
        let frozen = [Frozen { pid: 1, from: Moment(10 * SECOND), thawed: Moment(20 * SECOND) }];
        let cases = [
            (run(1, 5, Some(21)), 15, true),
            (run(1, 5, Some(33)), 15, false),
            (run(1, 5, None), 15, false),
            (run(1, 5, Some(21)), 9, false),
            (run(1, 21, Some(23)), 22, false),
            (run(2, 5, Some(21)), 15, false),
        ];
        for (first, second, excused) in cases {
            let overlap = Overlap { job: "a".into(), first, second: run(3, second, None) };
            assert_eq!(excuse(&overlap, &frozen).is_some(), excused, "{overlap}");
        }
    }
}

//! What was done in a storm, in numbers.

use std::collections::BTreeMap;
use std::fmt;

/// One kill.
#[derive(Clone, Copy, Debug)]
struct Kill {
    /// Guests of the process that died; of all nodes, where the server died.
    victim: usize,
    /// Guests of all nodes together.
    overall: usize,
}

/// Counts of everything.
#[derive(Default)]
pub(crate) struct Tally {
    kills: BTreeMap<&'static str, Vec<Kill>>,
    faults: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn kill(&mut self, sort: &'static str, victim: usize, overall: usize) {
        self.kills.entry(sort).or_default().push(Kill { victim, overall });
    }

    pub(crate) fn fault(&mut self, sort: &'static str) {
        *self.faults.entry(sort).or_default() += 1;
    }

    pub(crate) fn kills(&self) -> usize {
        self.kills.values().map(Vec::len).sum()
    }

    /// Kills at which fewer were in flight: on a machine that does much else, the log is read late.
    pub(crate) fn with_fewer_than(&self, enough: usize) -> usize {
        self.kills.values().flatten().filter(|kill| kill.overall < enough).count()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} kills:", self.kills())?;
        for (sort, kills) in &self.kills {
            let [victim, overall] = [
                spread(kills.iter().map(|kill| kill.victim).collect()),
                spread(kills.iter().map(|kill| kill.overall).collect()),
            ];
            let count = kills.len();
            writeln!(f, "    {count:5} {sort}: in flight on the victim {victim}; on all nodes {overall}")?;
        }
        let all: Vec<Kill> = self.kills.values().flatten().copied().collect();
        writeln!(
            f,
            "    in flight on the victim, all kills: {}",
            spread(all.iter().map(|k| k.victim).collect())
        )?;
        writeln!(
            f,
            "    in flight on all nodes, all kills: {}",
            spread(all.iter().map(|k| k.overall).collect())
        )?;
        writeln!(f, "  other faults: {:?}", self.faults)
    }
}

fn spread(mut numbers: Vec<usize>) -> String {
    numbers.sort_unstable();
    let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
    format!("min {}, median {}", at(0), at(numbers.len() / 2))
}

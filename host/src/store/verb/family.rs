//! Families: a root and the jobs below it, which may be many, but not without end. Pure, but for the counting, which the
//! caller does.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::job::{JobId, RunId, Settlement};

/// What an attempt would add to its family.
#[derive(Clone, Copy, Debug)]
struct Growth {
    run: RunId,
    root: JobId,
    /// The jobs that it asks for.
    asks: i64,
    /// The job itself has ended and makes room, unless it is the root.
    frees: i64,
}

/// What the attempts of a batch would add to their families, in the order in which they are settled.
#[derive(Clone, Debug)]
pub(super) struct Families {
    most: u32,
    growths: Vec<Growth>,
}

impl Families {
    pub(super) fn new<'s>(attempts: impl IntoIterator<Item = &'s Settlement>, most: u32) -> Self {
        let growth = |settlement: &Settlement| {
            let lineage = settlement.follow_ups.first()?.lineage;
            let asks = i64::try_from(settlement.follow_ups.len()).unwrap_or(i64::MAX);
            let frees = i64::from(lineage.depth > 1);
            Some(Growth { run: settlement.run, root: lineage.root?, asks, frees })
        };
        Self { most, growths: attempts.into_iter().filter_map(growth).collect() }
    }

    /// The roots whose families would grow, which alone must be counted: a chain of single jobs never does.
    pub(super) fn growing(&self) -> Vec<JobId> {
        let mut sums: BTreeMap<JobId, i64> = BTreeMap::new();
        for growth in &self.growths {
            *sums.entry(growth.root).or_default() += growth.asks - growth.frees;
        }
        sums.into_iter().filter(|(_, sum)| *sum > 0).map(|(root, _)| root).collect()
    }

    /// The attempts that ask for more than there is room for, given how many have not ended. What is asked for counts,
    /// whether or not it turns out to be there already.
    pub(super) fn refused(&self, mut unfinished: HashMap<JobId, i64>) -> HashSet<RunId> {
        let mut refused = HashSet::new();
        for Growth { run, root, asks, frees } in &self.growths {
            let Some(unfinished) = unfinished.get_mut(root) else { continue };
            if asks > frees && *unfinished + asks - frees > i64::from(self.most) {
                refused.insert(*run);
                *unfinished -= frees;
            } else {
                *unfinished += asks - frees;
            }
        }
        refused
    }

    /// How far to count.
    pub(super) const fn most(&self) -> u32 {
        self.most
    }
}

/// What the run of an attempt says that was refused.
pub(super) fn refusal(most: u32) -> String {
    format!(
        "its follow-ups were refused: the first job of its family would have more than {most} below it that have not ended"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Timestamp;

    /// Asks and frees of attempts of one family, how many have not ended, and which are refused of at most ten.
    #[test]
    fn an_attempt_is_refused_that_would_make_its_family_too_large_and_no_other() {
        type Case = (&'static [(i64, i64)], i64, &'static [usize]);
        let cases: [Case; 7] = [
            (&[(10, 0)], 0, &[]),
            (&[(11, 0)], 0, &[0]),
            (&[(3, 1), (3, 1)], 6, &[]),
            (&[(3, 1), (3, 1), (1, 1)], 7, &[1]),
            // At the limit what replaces itself goes on, and what was refused makes room.
            (&[(1, 1), (2, 1), (2, 1)], 10, &[1]),
            (&[(1, 1), (1, 1)], 10, &[]),
            // Beyond it, too.
            (&[(1, 1), (2, 1)], 99, &[1]),
        ];
        let root = JobId::mint(Timestamp::EPOCH);
        for (asked, unfinished, expected) in cases {
            let growth = |(asks, frees): &(i64, i64)| Growth {
                run: RunId::mint(Timestamp::EPOCH),
                root,
                asks: *asks,
                frees: *frees,
            };
            let families = Families { most: 10, growths: asked.iter().map(growth).collect() };
            let refused = families.refused(HashMap::from([(root, unfinished)]));
            let at: Vec<usize> =
                (0..asked.len()).filter(|at| refused.contains(&families.growths[*at].run)).collect();
            assert_eq!(at, expected, "{asked:?} of {unfinished}");
            let grows = asked.iter().map(|(asks, frees)| asks - frees).sum::<i64>() > 0;
            assert_eq!(families.growing().len(), usize::from(grows), "{asked:?}");
        }
    }
}

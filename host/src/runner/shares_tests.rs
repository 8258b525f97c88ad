//! Shares over ten thousand slots, with queues that come and go.

use super::*;

const SLOTS: usize = 10_000;

fn queue(name: &str) -> Queue {
    Queue::new(name).expect("valid")
}

fn shares(weights: &[(&str, u16)]) -> Shares {
    Shares::new(weights.iter().map(|(name, weight)| (queue(name), Weight::new(*weight).expect("valid"))))
}

/// What a claim of so many takes from queues with so many jobs each, as both databases do it: by where each job
/// begins, then by name for want of priorities.
fn take(shares: &mut Shares, most: usize, left: &mut BTreeMap<&str, usize>) -> Vec<Queue> {
    let told = shares.to_claim();
    let mut begins: Vec<(u64, &str)> = Vec::new();
    for (name, jobs) in left.iter() {
        let share = told.iter().find(|share| share.queue.as_str() == *name);
        let (ahead, weight) = share.map_or((0, Weight::default()), |share| (share.ahead, share.weight));
        begins.extend((0..(*jobs).min(most)).map(|place| (ahead + place as u64 * weight.cost(), *name)));
    }
    begins.sort_unstable();
    begins.truncate(most);
    for (_, name) in &begins {
        *left.get_mut(name).expect("there") -= 1;
    }
    let taken: Vec<Queue> = begins.into_iter().map(|(_, name)| queue(name)).collect();
    shares.claimed(&taken);
    taken
}

fn endless<'n>(names: &[&'n str]) -> BTreeMap<&'n str, usize> {
    names.iter().map(|name| (*name, usize::MAX / 2)).collect()
}

/// How many slots of so many each queue gets, so many at a time.
fn run(shares: &mut Shares, names: &[&str], slots: usize, at_a_time: usize) -> BTreeMap<String, usize> {
    let (mut left, mut got) = (endless(names), BTreeMap::new());
    for _ in 0..slots / at_a_time {
        for queue in take(shares, at_a_time, &mut left) {
            *got.entry(queue.as_str().to_owned()).or_default() += 1;
        }
    }
    got
}

#[test]
fn slots_go_by_weight_however_many_are_freed_at_a_time() {
    let cases: [&[(&str, u16)]; 5] = [
        &[("a", 1), ("b", 1)],
        &[("a", 1), ("b", 3)],
        &[("a", 5), ("b", 3), ("c", 2)],
        &[("a", 1), ("b", 1000)],
        &[("a", 7), ("b", 11), ("c", 13), ("d", 1)],
    ];
    for weights in cases {
        let names: Vec<&str> = weights.iter().map(|(name, _)| *name).collect();
        let sum: usize = weights.iter().map(|(_, weight)| usize::from(*weight)).sum();
        for at_a_time in [1, 2, 5, 16, 100] {
            let got = run(&mut shares(weights), &names, SLOTS, at_a_time);
            for (name, weight) in weights {
                let due = SLOTS * usize::from(*weight) / sum;
                let got = got.get(*name).copied().unwrap_or(0);
                // One round more or less, of a job for a weight of one.
                let off = usize::from(*weight) + 1;
                assert!(
                    got.abs_diff(due) <= off,
                    "{weights:?}, {at_a_time} at a time: {name} got {got} of {due} slots"
                );
            }
        }
    }
}

#[test]
fn a_queue_that_was_idle_gains_nothing() {
    let mut shares = shares(&[("a", 1), ("b", 3)]);
    run(&mut shares, &["a"], SLOTS, 1);
    let both = run(&mut shares, &["a", "b"], 400, 1);
    assert!((99..=101).contains(&both["a"]) && both["b"] >= 299, "{both:?}");
    // Nor does it lose anything: what it had had before it went idle is forgotten.
    run(&mut shares, &["b"], SLOTS, 1);
    let both = run(&mut shares, &["a", "b"], 400, 1);
    assert!((99..=101).contains(&both["a"]), "{both:?}");
}

#[test]
fn a_queue_without_jobs_costs_others_nothing() {
    let mut shares = shares(&[("a", 1), ("b", 1000)]);
    let mut left = BTreeMap::from([("a", SLOTS), ("b", 0)]);
    for _ in 0..SLOTS / 10 {
        assert_eq!(take(&mut shares, 10, &mut left).len(), 10);
    }
}

#[test]
fn none_is_ahead_by_more_than_a_job() {
    let mut shares = shares(&[("a", 1), ("b", 3), ("c", 1000)]);
    let mut left = BTreeMap::from([("a", 40_000), ("b", 70_000), ("c", 9_000)]);
    for most in (1..=64).cycle().take(3000) {
        take(&mut shares, most, &mut left);
        for share in shares.to_claim() {
            assert!(share.ahead <= share.weight.cost(), "{share:?}");
        }
    }
}

#[test]
fn a_weight_that_is_1_is_not_told_of_a_queue_that_is_not_ahead() {
    let mut shares = shares(&[("a", 1), ("b", 3)]);
    let told = |shares: &Shares| {
        shares.to_claim().into_iter().map(|share| (share.queue, share.ahead)).collect::<Vec<_>>()
    };
    assert_eq!(told(&shares), [(queue("b"), 0)]);
    shares.claimed([&queue("a")]);
    assert_eq!(told(&shares), [(queue("a"), Weight::TURN), (queue("b"), 0)]);
}

#[test]
fn what_a_node_remembers_is_bounded() {
    let mut shares = Shares::default();
    let names: Vec<Queue> = (0..MOST + 500).map(|number| queue(&format!("q{number}"))).collect();
    for name in &names {
        shares.claimed([name]);
    }
    assert_eq!(shares.to_claim().len(), MOST);
}

//! How queues that compete for a node's slots share them: by weight.

use super::Queue;

/// How large a queue's share is beside those of others: of two queues that both have work, one of weight 3 gets three
/// slots while one of weight 1 gets one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u16);

impl Weight {
    /// The largest. A larger one would say that the other queue may starve, which none does.
    pub const MOST: u16 = 1000;
    /// What one job costs a queue of weight 1. Every weight up to 16, and those that are round, divide it.
    pub const TURN: u64 = 720_720_000;

    /// From 1 up to [`Weight::MOST`].
    pub fn new(weight: u16) -> Option<Self> {
        (1..=Self::MOST).contains(&weight).then_some(Self(weight))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// What one job costs the queue, as parts of [`Weight::TURN`].
    pub fn cost(self) -> u64 {
        Self::TURN / u64::from(self.0)
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(1)
    }
}

/// A queue that a node takes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedQueue {
    /// Which.
    pub queue: Queue,
    /// The most attempts of it at once.
    pub concurrency: u32,
    /// Its share, where it competes with others.
    pub weight: Weight,
}

impl ServedQueue {
    /// With the weight that queues have if nothing is said.
    pub fn new(queue: Queue, concurrency: u32) -> Self {
        Self { queue, concurrency, weight: Weight::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_1_to_1000_and_a_job_costs_its_part_of_a_turn() {
        assert_eq!(
            [0, 1, 1000, 1001].map(|weight| Weight::new(weight).is_some()),
            [false, true, true, false]
        );
        for weight in (1..=16).chain([20, 25, 50, 64, 100, 250, 500, 1000]) {
            let exact = Weight::new(weight).expect("valid").cost() * u64::from(weight);
            assert_eq!(exact, Weight::TURN, "{weight} divides a turn");
        }
    }
}

//! Whose turn it is: how far each queue is ahead of its share of the node's slots. Start-time fair queueing, without
//! IO and without time.
//!
//! A job costs its queue a turn, divided by the queue's weight. A claim takes the jobs that begin first: one begins
//! where its queue has come to, and where all have come to if its queue was idle. So a queue that was idle gains no
//! credit, one without jobs costs others nothing, and none is ever ahead by more than one job: none starves.

use std::collections::BTreeMap;

use crate::job::{Queue, Weight};
use crate::store::QueueShare;

/// So many queues that are ahead are told apart, those that are so furthest; what others had had is forgotten, at most
/// one job each. It is what a claim may carry.
const MOST: usize = 1000;

/// The shares of a node's queues.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    /// Those that are not 1.
    weights: BTreeMap<Queue, Weight>,
    /// Of the queues that are ahead of where all have come to, by how much.
    ahead: BTreeMap<Queue, u64>,
}

impl Shares {
    /// Those of queues with these weights; the weight of every other is 1.
    pub fn new(weights: impl IntoIterator<Item = (Queue, Weight)>) -> Self {
        let weights = weights.into_iter().filter(|(_, weight)| *weight != Weight::default()).collect();
        Self { weights, ahead: BTreeMap::new() }
    }

    /// What a claim must know: of each queue that is ahead, or whose weight is not 1.
    pub fn to_claim(&self) -> Vec<QueueShare> {
        let only_weighted = self.weights.keys().filter(|queue| !self.ahead.contains_key(*queue));
        let queues = self.ahead.keys().chain(only_weighted);
        let share = |queue: &Queue| QueueShare {
            queue: queue.clone(),
            weight: self.weight(queue),
            ahead: self.ahead.get(queue).copied().unwrap_or(0),
        };
        queues.map(share).collect()
    }

    /// A claim brought jobs of these queues.
    pub fn claimed<'q>(&mut self, queues: impl IntoIterator<Item = &'q Queue>) {
        let mut jobs: BTreeMap<&Queue, u64> = BTreeMap::new();
        for queue in queues {
            *jobs.entry(queue).or_default() += 1;
        }
        // All have come to where the job began that began last.
        let mut come_to = 0;
        for (queue, jobs) in jobs {
            let cost = self.weight(queue).cost();
            let ahead = self.ahead.entry(queue.clone()).or_default();
            *ahead += jobs * cost;
            come_to = come_to.max(*ahead - cost);
        }
        self.ahead.retain(|_, ahead| {
            *ahead = ahead.saturating_sub(come_to);
            *ahead > 0
        });
        while self.ahead.len() > MOST
            && let Some(least) =
                self.ahead.iter().min_by_key(|(_, ahead)| **ahead).map(|(queue, _)| queue.clone())
        {
            self.ahead.remove(&least);
        }
    }

    fn weight(&self, queue: &Queue) -> Weight {
        self.weights.get(queue).copied().unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "shares_tests.rs"]
mod tests;

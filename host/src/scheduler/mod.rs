//! What happens by the clock: due jobs become available, schedules fire, dead nodes are
//! found, and what has been kept for long enough goes. It does not know the runner: it moves
//! rows, and the store's bell wakes whoever waits for them.

mod cron;
mod duty;
mod promoter;
mod pruner;
mod sweeper;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::event::Events;
use crate::job::{LossPolicy, NodeId, RetentionPolicy};
use crate::store::SharedStore;
use crate::timing::Schedule;

/// What happens by the clock on one node. Cheap to clone.
#[derive(Clone)]
pub struct Scheduler {
    store: SharedStore,
    clock: Clock,
    events: Events,
    config: SchedulerConfig,
    node: Arc<dyn Fn() -> NodeId + Send + Sync>,
}

/// What a scheduler needs to be told.
#[derive(Clone, Debug)]
pub struct SchedulerConfig {
    /// The lease that nodes have; the times of the sweep derive from it.
    pub lease: Duration,
    /// How losses are treated.
    pub losses: LossPolicy,
    /// How long past its deadline an attempt is left to its own node.
    pub deadline_grace: Duration,
    /// How often to look for due jobs that no ring told of.
    pub poll_interval: Duration,
    /// The schedules of the configuration; `None` if there is no file that could have any.
    pub schedules: Option<Vec<Schedule>>,
    /// How long what has ended is kept.
    pub retention: RetentionPolicy,
}

impl Scheduler {
    /// A scheduler that has not begun: its services are started by whoever composes the node. `node` answers the id
    /// that the node has now.
    pub fn new(
        store: SharedStore,
        clock: Clock,
        events: Events,
        config: SchedulerConfig,
        node: impl Fn() -> NodeId + Send + Sync + 'static,
    ) -> Self {
        Self { store, clock, events, config, node: Arc::new(node) }
    }
}

//! What a node is told about itself, resolved.

use std::time::Duration;

use super::ambient;
use crate::job::{ExecutorClass, LossPolicy, ServedQueue};
use crate::sandbox::SandboxConfig;
use crate::store::Classes;

/// How a node takes and holds its work.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// What operators know it by.
    pub name: String,
    /// The most attempts at once.
    pub concurrency: u32,
    /// The queues that it takes from; every queue, without a bound of its own and with a weight of 1, if empty.
    pub queues: Vec<ServedQueue>,
    /// The executor classes that it has.
    pub classes: Classes,
    /// How long the others wait before they take its jobs for lost (PostgreSQL).
    pub lease: Duration,
    /// How losses of a node are treated.
    pub losses: LossPolicy,
    /// How long past its deadline an attempt is left to its own node.
    pub deadline_grace: Duration,
    /// How often it looks for work that nobody told it of.
    pub poll_interval: Duration,
    /// How often the log is told how the queues stand, if it is.
    pub health_pulse: Option<Duration>,
    /// How long an attempt that is asked to stop has before it is stopped.
    pub stop_grace: Duration,
    /// How long a node that was told to stop lets attempts finish.
    pub drain_timeout: Duration,
    /// Whether it sweeps, fires schedules and deletes what is old, for all.
    pub maintenance: Maintenance,
}

impl Default for NodeConfig {
    /// What holds where nothing is said.
    fn default() -> Self {
        let SandboxConfig { slots, stop_grace, .. } = SandboxConfig::default();
        Self {
            name: ambient::machine_name(),
            concurrency: slots,
            queues: Vec::new(),
            classes: Classes::Only(vec![ExecutorClass::default()]),
            lease: Duration::from_secs(15),
            losses: LossPolicy::default(),
            deadline_grace: Duration::from_secs(60),
            poll_interval: Duration::from_secs(1),
            health_pulse: None,
            stop_grace,
            drain_timeout: Duration::from_secs(30),
            maintenance: Maintenance::Shared,
        }
    }
}

/// Whether a node does what one node at a time does for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// When it is its turn.
    Shared,
    /// Never: others must.
    Never,
}

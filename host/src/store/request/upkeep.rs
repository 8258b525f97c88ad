//! What happens by the clock.

use std::time::Duration;

use super::Reclaimed;
use crate::job::{LossPolicy, NodeId, Timestamp};
use crate::store::StoreError;

/// Something that one node at a time does.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Its name: `sweep`, `cron`, `retention`.
    pub name: &'static str,
    /// Who wants to.
    pub node: NodeId,
    /// For how long.
    pub lease: Duration,
}

/// A search for dead nodes.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Who searches; it must have been steady for a lease.
    pub node: NodeId,
    /// The lease that nodes have.
    pub lease: Duration,
    /// How losses are treated.
    pub losses: LossPolicy,
    /// How long past its deadline an attempt is left to its own node.
    pub deadline_grace: Duration,
}

/// What a sweep found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Nodes that it marked lost.
    pub lost_nodes: Vec<NodeId>,
    /// Jobs that it took back.
    pub reclaimed: Vec<Reclaimed>,
    /// What it could not do. None of it held up anything else; the next sweep tries again.
    pub errors: Vec<StoreError>,
}

/// What a promotion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promoted {
    /// How many jobs became available.
    pub count: u32,
    /// When the next one is due.
    pub next_due: Option<Timestamp>,
}

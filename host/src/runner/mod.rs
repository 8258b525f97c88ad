//! Running jobs: claim, attempt, settle, finalize, under a lease.
//!
//! A claim, a grip and a slot travel together until the outcome is durable: no more is claimed than there are slots, so
//! a node never holds more than it can finish, and what is dropped on the way is held no more. Deciding is done by pure
//! code ([`Planner`] here, `Claim::settle` in `job/`); this folder moves values between the store and the sandbox.

mod aside;
mod attempt;
mod cancels;
mod checkpoints;
mod claimer;
mod context;
mod finalizer;
mod held;
mod lease;
mod outcomes;
mod pace;
mod planner;
mod ports;
mod progress;
mod publish;
mod renewal;
mod shares;
mod slots;

use std::time::Duration;

pub use context::{Parts, Runner};
pub use lease::Lease;
pub use planner::{Answer, Plan, Planner, View};
pub use renewal::enter;
pub use shares::Shares;
pub use slots::{Slot, Slots};

use crate::job::{LossPolicy, RetentionPolicy, ServedQueue};
use crate::store::Classes;

/// What a runner needs to be told.
#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// What operators know the node by.
    pub name: String,
    /// Attempts at once.
    pub concurrency: u32,
    /// The queues that it takes from; empty means every queue, up to `concurrency`, with a weight of 1.
    pub queues: Vec<ServedQueue>,
    /// The executor classes that the node has.
    pub classes: Classes,
    /// How long the node's lease is; not used on SQLite. All other times of the lease derive from it.
    pub lease: Duration,
    /// How losses are treated.
    pub losses: LossPolicy,
    /// From the polite request to stop to the hard one.
    pub stop_grace: Duration,
    /// How often to look for work that no ring told of.
    pub poll_interval: Duration,
    /// How long the node keeps what has ended, if it takes part in deleting that: others heed it.
    pub retention: Option<RetentionPolicy>,
}

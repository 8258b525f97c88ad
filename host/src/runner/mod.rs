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
mod member;
mod outcomes;
mod pace;
mod planner;
mod ports;
mod progress;
mod publish;
mod renewal;
mod shares;
mod slots;
mod solitude;

use std::time::Duration;

pub use context::Runners;
pub use lease::Lease;
pub use member::{Member, MemberConfig};
pub use planner::{Answer, Plan, Planner, View};
pub use shares::Shares;
pub use slots::{Slot, Slots};

use crate::job::ServedQueue;
use crate::store::Classes;

/// What a runner needs to be told: a node has one or several, each with slots of its own.
#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// What operators know it by, on its node.
    pub name: String,
    /// Attempts at once.
    pub concurrency: u32,
    /// The queues that it takes from; empty means every queue, up to `concurrency`, with a weight of 1.
    pub queues: Vec<ServedQueue>,
    /// The executor classes that the node has.
    pub classes: Classes,
    /// How often to look for work that no ring told of.
    pub poll_interval: Duration,
}

//! What a node is to the others: its row, its lease, and what it holds under it. A node that runs nothing is one too.

use std::sync::Arc;
use std::time::Duration;

use super::held::Held;
use super::{Lease, RunnerConfig, Slots, renewal};
use crate::clock::Clock;
use crate::event::Events;
use crate::job::{LossPolicy, RetentionPolicy};
use crate::sandbox::StopCause;
use crate::store::{Reclaimed, Result, SharedStore};

/// What a node tells the others of itself.
#[derive(Clone, Debug)]
pub struct MemberConfig {
    /// What operators know the node by.
    pub name: String,
    /// How long the node's lease is; not used on SQLite. All other times of the lease derive from it.
    pub lease: Duration,
    /// How losses are treated.
    pub losses: LossPolicy,
    /// From the polite request to stop to the hard one.
    pub stop_grace: Duration,
    /// How long the node keeps what has ended, if it takes part in deleting that: others heed it.
    pub retention: Option<RetentionPolicy>,
    /// Its runners: none, if it runs nothing.
    pub runners: Vec<RunnerConfig>,
}

/// One node among the others. Its runners share its lease and its row. Cheap to clone.
#[derive(Clone)]
pub struct Member(pub(super) Arc<Membership>);

/// What the parts of a node share that have to do with its lease.
pub(super) struct Membership {
    pub(super) config: MemberConfig,
    pub(super) store: SharedStore,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) lease: Arc<Lease>,
    pub(super) held: Held,
    /// The slots of each runner, in their order.
    pub(super) slots: Vec<Slots>,
}

impl Member {
    /// Enters the node into the store under a new id: answers with what a dead process had left running.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn enter(
        config: MemberConfig,
        store: SharedStore,
        clock: Clock,
        events: Events,
    ) -> Result<(Self, Vec<Reclaimed>)> {
        let (lease, reclaimed) = renewal::enter(&store, &config, &clock).await?;
        let slots = config.runners.iter().map(|runner| Slots::new(runner.concurrency)).collect();
        let held = Held::new(clock.clone());
        let lease = Arc::new(lease);
        Ok((Self(Arc::new(Membership { config, store, clock, events, lease, held, slots })), reclaimed))
    }

    /// The node's lease.
    pub fn lease(&self) -> &Lease {
        &self.0.lease
    }

    /// How many attempts have not come to a durable end, over all runners.
    pub fn busy(&self) -> u32 {
        self.0.busy()
    }

    /// Whether there is neither an attempt nor a claim that may bring one.
    pub fn is_idle(&self) -> bool {
        // In this order: an attempt is held until just before its slot is free.
        self.0.held.is_nothing() && self.busy() == 0
    }

    /// Asks everything that runs to stop, for good after the grace, and whatever a claim under way still brings.
    pub fn ask_for_good(&self, cause: StopCause, grace: Duration) {
        self.0.held.ask_for_good(cause, grace);
    }

    /// Waits until no attempt is left whose outcome is not durable. For when nothing is claimed any more.
    pub async fn idle(&self) {
        for slots in &self.0.slots {
            while slots.busy() > 0 {
                slots.freed().await;
            }
        }
    }
}

impl Membership {
    pub(super) fn busy(&self) -> u32 {
        self.slots.iter().map(Slots::busy).sum()
    }
}

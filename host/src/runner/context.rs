//! What all parts of a runner share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::checkpoints::CheckpointBoard;
use super::held::Held;
use super::outcomes::Outcomes;
use super::pace::Pace;
use super::progress::ProgressBoard;
use super::{Lease, RunnerConfig, Slots};
use crate::clock::Clock;
use crate::event::Events;
use crate::job::Kind;
use crate::plugin::{Catalog, Plugin};
use crate::sandbox::{Sandbox, StopCause};
use crate::store::{GUEST_READS, SharedStore};

/// One runner: a node's part that runs jobs. Cheap to clone.
#[derive(Clone)]
pub struct Runner(pub(super) Arc<Context>);

/// What its parts share.
pub(super) struct Context {
    pub(super) config: RunnerConfig,
    pub(super) store: SharedStore,
    pub(super) sandbox: Sandbox,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) lease: Lease,
    pub(super) held: Held,
    pub(super) slots: Slots,
    pub(super) outcomes: Outcomes,
    pub(super) progress: ProgressBoard,
    pub(super) checkpoints: CheckpointBoard,
    pub(super) pace: Pace,
    /// The turns of guests to read: whoever waits for one waits in line, however many ask at once.
    pub(super) reads: Arc<Semaphore>,
}

/// What a runner is made of, beside its configuration.
pub struct Parts {
    /// Where jobs are kept.
    pub store: SharedStore,
    /// Where guests run.
    pub sandbox: Sandbox,
    /// What can run them.
    pub catalog: watch::Receiver<Arc<Catalog>>,
    /// What time it is.
    pub clock: Clock,
    /// Who hears what happened.
    pub events: Events,
    /// The node's right to run anything.
    pub lease: Lease,
}

impl Runner {
    /// A runner that has not begun: its services are started by whoever composes the node.
    pub fn new(config: RunnerConfig, parts: Parts) -> Self {
        let Parts { store, sandbox, catalog, clock, events, lease } = parts;
        let held = Held::new(clock.clone());
        let slots = Slots::new(config.concurrency);
        // Each attempt holds a slot until its outcome is durable, so the queue is never full.
        let outcomes = Outcomes::new(config.concurrency);
        let progress = ProgressBoard::default();
        Self(Arc::new(Context {
            config,
            store,
            sandbox,
            catalog,
            clock,
            events,
            lease,
            held,
            slots,
            outcomes,
            progress,
            checkpoints: CheckpointBoard::default(),
            pace: Pace::default(),
            reads: Arc::new(Semaphore::new(GUEST_READS as usize)),
        }))
    }

    /// The node's lease.
    pub fn lease(&self) -> &Lease {
        &self.0.lease
    }

    /// The node's slots.
    pub fn slots(&self) -> &Slots {
        &self.0.slots
    }

    /// Asks everything that runs to stop, for good after the grace, and whatever a claim under way still brings.
    pub fn ask_for_good(&self, cause: StopCause, grace: Duration) {
        self.0.held.ask_for_good(cause, grace);
    }

    /// Waits until no attempt is left whose outcome is not durable.
    pub async fn idle(&self) {
        while self.0.slots.busy() > 0 {
            self.0.slots.freed().await;
        }
    }
}

impl Context {
    pub(super) fn plugin(&self, kind: &Kind) -> Option<Arc<Plugin>> {
        self.catalog.borrow().get(kind).cloned()
    }
}

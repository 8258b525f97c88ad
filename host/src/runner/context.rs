//! What all parts of a node's runners share.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::checkpoints::CheckpointBoard;
use super::held::Held;
use super::member::Membership;
use super::outcomes::Outcomes;
use super::pace::Pace;
use super::progress::ProgressBoard;
use super::solitude::Solitude;
use super::{Lease, Member, RunnerConfig, Slots};
use crate::clock::{Boot, Clock};
use crate::event::Events;
use crate::job::Kind;
use crate::plugin::{Catalog, Plugin};
use crate::sandbox::Sandbox;
use crate::store::{GUEST_READS, SharedStore};

/// The runners of a node: its part that runs jobs. Cheap to clone.
#[derive(Clone)]
pub struct Runners(pub(super) Arc<Context>);

/// What their parts share.
pub(super) struct Context {
    pub(super) member: Arc<Membership>,
    pub(super) store: SharedStore,
    pub(super) sandbox: Sandbox,
    pub(super) catalog: watch::Receiver<Arc<Catalog>>,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) lease: Arc<Lease>,
    pub(super) held: Held,
    pub(super) crews: Vec<Crew>,
    pub(super) solitude: Solitude,
    pub(super) outcomes: Outcomes,
    pub(super) progress: ProgressBoard,
    pub(super) checkpoints: CheckpointBoard,
    /// The turns of guests to read: whoever waits for one waits in line, however many ask at once.
    pub(super) reads: Arc<Semaphore>,
}

/// What a runner has for itself.
pub(super) struct Crew {
    /// Its place among the runners.
    pub(super) number: usize,
    pub(super) config: RunnerConfig,
    pub(super) slots: Slots,
    pub(super) pace: Pace,
}

impl Runners {
    /// The runners that the member was told of, which have not begun: their services are started by whoever composes
    /// the node.
    pub fn new(member: &Member, sandbox: Sandbox, catalog: watch::Receiver<Arc<Catalog>>) -> Self {
        let member = member.0.clone();
        let crew = |(number, (config, slots)): (usize, (&RunnerConfig, &Slots))| Crew {
            number,
            config: config.clone(),
            slots: slots.clone(),
            pace: Pace::default(),
        };
        let crews: Vec<_> = member.config.runners.iter().zip(&member.slots).enumerate().map(crew).collect();
        Self(Arc::new(Context {
            store: member.store.clone(),
            sandbox,
            catalog,
            clock: member.clock.clone(),
            events: member.events.clone(),
            lease: member.lease.clone(),
            held: member.held.clone(),
            // Each attempt holds a slot until its outcome is durable, so the queue is never full.
            outcomes: Outcomes::new(crews.iter().map(|crew| crew.slots.concurrency()).sum()),
            crews,
            solitude: Solitude::default(),
            progress: ProgressBoard::default(),
            checkpoints: CheckpointBoard::default(),
            reads: Arc::new(Semaphore::new(GUEST_READS as usize)),
            member,
        }))
    }
}

impl Context {
    pub(super) fn plugin(&self, kind: &Kind) -> Option<Arc<Plugin>> {
        self.catalog.borrow().get(kind).cloned()
    }

    /// Until when outcomes are gathered, while any line is long.
    pub(super) fn until(&self, answered: Boot) -> Option<Boot> {
        self.crews.iter().find_map(|crew| crew.pace.until(answered))
    }

    pub(super) fn concurrency(&self) -> u32 {
        self.crews.iter().map(|crew| crew.slots.concurrency()).sum()
    }
}

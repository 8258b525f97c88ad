//! Outcomes that were decided and are not durable yet: on their way to the finalizer, and what it had to leave.

use std::sync::PoisonError;

use tokio::sync::{Mutex, mpsc};

use super::Slot;
use super::held::Grip;
use crate::job::Settlement;

/// An outcome that was decided and is not durable yet. The attempt is held and its slot is taken for as long as this
/// lives: the fields are dropped in their order, so a slot that is free never belongs to an attempt that is held.
pub(super) struct Decided {
    pub(super) settlement: Settlement,
    pub(super) grip: Grip,
    pub(super) slot: Slot,
}

/// The queue of outcomes, one place for each slot: as every outcome holds a slot, it is never full.
pub(super) struct Outcomes {
    sender: mpsc::Sender<Decided>,
    pub(super) receiver: Mutex<mpsc::Receiver<Decided>>,
    /// What the finalizer could not store before it had to stop.
    left: std::sync::Mutex<Vec<Decided>>,
}

impl Outcomes {
    pub(super) fn new(concurrency: u32) -> Self {
        let (sender, receiver) = mpsc::channel(usize::try_from(concurrency).unwrap_or(usize::MAX).max(1));
        Self { sender, receiver: Mutex::new(receiver), left: std::sync::Mutex::default() }
    }

    pub(super) async fn offer(&self, decided: Decided) {
        // The receiver lives as long as `self`.
        let _ = self.sender.send(decided).await;
    }

    /// Leaves outcomes to whoever stops the node: they still hold their slots.
    pub(super) fn leave(&self, outcomes: Vec<Decided>) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).extend(outcomes);
    }

    pub(super) fn take_left(&self) -> Vec<Decided> {
        std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

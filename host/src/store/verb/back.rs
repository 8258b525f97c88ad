//! Running jobs that were taken from their nodes, and what followed from the end of some.

use crate::job::JobId;
use crate::store::Reclaimed;
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::sql_store::{SqlStore, waits};

use super::endings::{Endings, Enqueued};
use super::settling::Hand;
use super::turn::{Turned, Turnstile};

/// What one transaction took back.
#[derive(Debug, Default)]
pub(super) struct Back {
    pub(super) reclaimed: Vec<Reclaimed>,
    enqueued: Vec<Enqueued>,
    turned: Turned,
}

impl Back {
    /// Enqueues what follows, and lets through who waits for permits: called last in the transaction, when all that it moves has moved.
    pub(super) async fn followed<D: Dialect>(
        db: &D,
        session: &mut dyn Session,
        reclaimed: Vec<Reclaimed>,
        hand: Hand,
    ) -> Done<Self> {
        let ended = reclaimed.iter().filter(|told| told.transition.state().is_terminal());
        let ended: Vec<JobId> = ended.map(|told| told.job).collect();
        let enqueued = Endings::of(db, hand.now).follow(session, &ended).await?;
        let turned = Turnstile::of(db, hand.now).turn(session).await?;
        Ok(Self { reclaimed, enqueued, turned })
    }
}

impl<D: Dialect> SqlStore<D> {
    /// Rings for what was taken back and what followed, and tells of the latter, once that is durable.
    pub(super) fn rung(&self, back: Back) -> Vec<Reclaimed> {
        let Back { reclaimed, enqueued, turned } = back;
        self.ring_for_turned(turned);
        let rings = self.tell_enqueued(enqueued);
        self.ring_for(reclaimed.iter().map(waits).chain(rings));
        reclaimed
    }
}

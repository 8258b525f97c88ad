//! Whose turn it is: what one node at a time does for all is done by the one that holds its lease. On SQLite there is
//! one node, and it always does.

use std::time::Duration;

use super::Scheduler;
use crate::clock::Boot;
use crate::store::{Activity, Database};

/// What one node at a time does.
pub(super) struct Duty {
    name: &'static str,
    scheduler: Scheduler,
    ask: Boot,
    /// What was answered last.
    holds: bool,
}

impl Duty {
    /// Nobody's, as far as this node knows.
    pub(super) fn new(name: &'static str, scheduler: &Scheduler) -> Self {
        Self { name, ask: scheduler.clock.boot(), scheduler: scheduler.clone(), holds: false }
    }

    /// Whether this node is to do it: its lease is two thirds of a node's, and renewed every fifth.
    pub(super) async fn is_mine(&mut self) -> bool {
        if self.scheduler.store.database() == Database::Sqlite {
            return true;
        }
        let (now, lease) = (self.scheduler.clock.boot(), self.scheduler.config.lease);
        if now >= self.ask {
            self.ask = now.after(lease / 5);
            let node = (self.scheduler.node)();
            let activity = Activity { name: self.name, node, lease: lease / 3 * 2 };
            let held = self.scheduler.store.hold(&activity, self.scheduler.clock.now()).await;
            let told = held.inspect_err(
                |error| tracing::warn!(%error, activity = self.name, "could not ask whose turn it is"),
            );
            self.holds = told.unwrap_or(false);
        }
        self.holds
    }

    /// How long until it is to be asked again.
    pub(super) fn asks_in(&self) -> Duration {
        let fifth = self.scheduler.config.lease / 5;
        match self.scheduler.store.database() {
            Database::Sqlite => fifth,
            Database::Postgres => self.ask.since(self.scheduler.clock.boot()).min(fifth),
        }
    }
}

//! When an attempt is over, whatever its guest thinks: asked at every tick and host call, and by a timer for a guest
//! that waits in one.

use std::sync::Arc;
use std::time::Duration;

use super::turn::Turn;
use super::{Ports, Stop, StopCause};
use crate::clock::{Boot, Clock};

/// Why the host cut an attempt short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// It took too long.
    Deadline,
    /// It was asked to stop, and its grace is over.
    Stopped(StopCause),
}

/// What a guest is told when it asks whether to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    Cancel,
    Drain,
    Deadline,
}

/// The end of one attempt, seen from everywhere that looks for it.
#[derive(Clone)]
pub(super) struct Watch {
    clock: Clock,
    stop: Stop,
    ports: Arc<dyn Ports>,
    turn: Turn,
    deadline: Boot,
    /// From here on the guest is told that its time is all but over.
    soon: Boot,
}

impl Watch {
    /// Begins to count now.
    pub(super) fn begin(
        clock: Clock,
        stop: Stop,
        ports: Arc<dyn Ports>,
        timeout: Duration,
        grace: Duration,
    ) -> Self {
        let now = clock.boot();
        let soon = now.after(timeout.saturating_sub(grace.min(timeout / 4)));
        Self { clock, stop, ports, turn: Turn::default(), deadline: now.after(timeout), soon }
    }

    /// The time that all of this is counted on.
    pub(super) fn now(&self) -> Boot {
        self.clock.boot()
    }

    /// How long it has held its thread.
    pub(super) fn turn(&self) -> &Turn {
        &self.turn
    }

    /// Whether the attempt is over.
    pub(super) fn over(&self, now: Boot) -> Option<Cut> {
        if !self.ports.holds_lease() {
            return Some(Cut::Stopped(StopCause::LeaseLost));
        }
        let stopped = self.stop.due_at(now).map(Cut::Stopped);
        stopped.or_else(|| (now >= self.deadline).then_some(Cut::Deadline))
    }

    /// Waits until a grace or the deadline is over.
    pub(super) async fn until_over(&self) -> Cut {
        tokio::select! {
            biased;
            cause = self.stop.stopped() => Cut::Stopped(cause),
            () = self.late() => Cut::Deadline,
        }
    }

    async fn late(&self) {
        while self.clock.boot() < self.deadline {
            self.clock.sleep_until(self.deadline).await;
        }
    }

    /// What the guest is told.
    pub(super) fn hint(&self) -> Option<Hint> {
        match self.stop.asked() {
            Some(StopCause::Cancel) => Some(Hint::Cancel),
            Some(StopCause::Drain | StopCause::LeaseLost) => Some(Hint::Drain),
            None => (self.clock.boot() >= self.soon).then_some(Hint::Deadline),
        }
    }
}

//! How long a guest computes in all: not what it waits in host calls, and not what it leaves to others.

use std::time::Duration;

use crate::clock::Boot;

/// Time that a guest computed.
#[derive(Default)]
pub(super) struct Computing {
    since: Option<Boot>,
    total: Duration,
}

impl Computing {
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// It computes from here on.
    pub(super) fn go_on(&mut self, now: Boot) {
        self.since = Some(now);
    }

    /// It does not compute from here on.
    pub(super) fn pause(&mut self, now: Boot) {
        if let Some(since) = self.since.take() {
            self.total += now.since(since);
        }
    }
}

//! Promotion: due jobs become available. Every node does it; none waits for another.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Scheduler;
use crate::event::Event;
use crate::service::ServiceError;
use crate::store::Promoted;
use crate::wake::Line;

/// The most jobs that one promotion moves.
const BATCH: u32 = 1000;

impl Scheduler {
    /// The service that promotes: at the next due time, when a job becomes due earlier, and every poll interval all the same.
    pub async fn promote(self, token: CancellationToken) -> Result<(), ServiceError> {
        let mut earlier = self.store.bell().listen(Line::Due);
        let mut wait = Duration::ZERO;
        loop {
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = earlier.heard() => {}
                () = self.clock.sleep(wait) => {}
            }
            wait = match self.store.promote(BATCH, self.clock.now()).await {
                Ok(promoted) => self.next_look(promoted),
                Err(error) => {
                    tracing::warn!(%error, "due jobs were not promoted");
                    self.config.poll_interval
                }
            };
        }
    }

    fn next_look(&self, Promoted { count, next_due }: Promoted) -> Duration {
        if count > 0 {
            self.events.emit(&Event::JobsPromoted { count });
        }
        if count == BATCH {
            return Duration::ZERO;
        }
        let poll = self.config.poll_interval;
        next_due.map_or(poll, |due| due.since(self.clock.now()).min(poll))
    }
}

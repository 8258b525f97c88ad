//! Carrying out cancels: looks whenever it is rung, and polls while rings of other processes may not arrive.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::sandbox::StopCause;
use crate::service::ServiceError;
use crate::wake::Line;

/// How often to look while the database does not prove that it would ring.
const POLL_DEAF: Duration = Duration::from_millis(200);
/// How often to look all the same.
const POLL: Duration = Duration::from_secs(5);

impl Runner {
    /// The service that interrupts attempts whose jobs somebody asked to cancel.
    pub async fn watch_cancels(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let mut rung = context.store.bell().listen(Line::Cancel);
        loop {
            let wait = if context.store.hears_others() { POLL } else { POLL_DEAF };
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = rung.heard() => {}
                () = context.clock.sleep(wait) => {}
            }
            if context.held.count() == 0 {
                continue;
            }
            match context.store.cancels(context.lease.node()).await {
                Ok(runs) => {
                    for run in runs {
                        context.held.ask(run, StopCause::Cancel, context.config.stop_grace);
                    }
                }
                Err(error) => tracing::warn!(%error, "could not look for cancels"),
            }
        }
    }
}

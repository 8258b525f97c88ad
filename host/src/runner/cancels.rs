//! Carrying out cancels: looks whenever it is rung, and polls while rings of other processes may not arrive.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Member;
use crate::sandbox::StopCause;
use crate::service::ServiceError;
use crate::wake::Line;

/// How often to look while the database does not prove that it would ring.
const POLL_DEAF: Duration = Duration::from_millis(200);
/// How often to look all the same.
const POLL: Duration = Duration::from_secs(5);
/// When to look again for a cancel that overtook the answer to its job's claim: nobody rings once that has come.
const CLAIM_UNDER_WAY: Duration = Duration::from_millis(20);

impl Member {
    /// The service that interrupts attempts whose jobs somebody asked to cancel.
    pub async fn watch_cancels(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(member) = self;
        let mut rung = member.store.bell().listen(Line::Cancel);
        let mut sooner = None;
        loop {
            let wait = if member.store.hears_others() { POLL } else { POLL_DEAF };
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = rung.heard() => {}
                () = member.clock.sleep(sooner.unwrap_or(wait)) => {}
            }
            sooner = None;
            if member.held.is_nothing() {
                continue;
            }
            match member.store.cancels(member.lease.node()).await {
                Ok(runs) => {
                    for run in runs {
                        let asked = member.held.ask(run, StopCause::Cancel, member.config.stop_grace);
                        if !asked && member.held.is_pending(run) {
                            sooner = Some(CLAIM_UNDER_WAY);
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "could not look for cancels"),
            }
        }
    }
}

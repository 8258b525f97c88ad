//! The pulse: how the queues stand, one line of the log in every interval.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::job::JobState;
use crate::quantity::Span;
use crate::service::ServiceError;
use crate::store::{Health, SharedStore};

/// The service that beats, until it is told to stop. A reading that fails is told, and the next one is tried.
///
/// # Errors
/// None; the signature is a service's.
pub async fn beat_pulse(
    store: SharedStore,
    clock: Clock,
    every: Duration,
    token: CancellationToken,
) -> Result<(), ServiceError> {
    loop {
        match token.run_until_cancelled(store.health(clock.now())).await {
            None => return Ok(()),
            Some(Ok(health)) => tell(&health),
            Some(Err(error)) => tracing::warn!(%error, "the queues could not be read for the pulse"),
        }
        if token.run_until_cancelled(clock.sleep(every)).await.is_none() {
            return Ok(());
        }
    }
}

fn tell(health: &Health) {
    let all = &health.overall;
    let count = |state| all.states.get(&state).copied().unwrap_or(0);
    tracing::info!(
        ready = all.ready,
        oldest_ready = all.oldest_ready_age.map(|age| Span(Duration::from_secs(age.as_secs())).to_string()),
        in_flight = all.in_flight,
        scheduled_ahead = all.scheduled_ahead,
        blocked = all.blocked,
        paused = count(JobState::Paused),
        discarded = count(JobState::Discarded),
        queues = health.queues.len(),
        "queue health"
    );
}

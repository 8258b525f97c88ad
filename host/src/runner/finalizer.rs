//! Making outcomes durable, in batches. While one batch is being written the next one gathers, so one job alone is
//! never delayed, and a thousand at once share a few transactions.

use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::{Runner, Slot};
use crate::event::{Event, Finished, JobRef};
use crate::job::Settlement;
use crate::service::ServiceError;
use crate::store::Settled;

/// The most outcomes in one batch.
const MAX_BATCH: usize = 256;
/// Between two tries of the same batch: from, and up to.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// After being told to stop, a batch that the database refuses to take is tried for so long.
const LAST_TRIES: Duration = Duration::from_secs(5);

/// An outcome that was decided and is not durable yet. The slot is freed with it.
pub(super) struct Decided {
    pub(super) settlement: Settlement,
    pub(super) slot: Slot,
}

/// The queue of outcomes, one place for each slot: as every outcome holds a slot, it is never full.
pub(super) struct Outcomes {
    sender: mpsc::Sender<Decided>,
    receiver: Mutex<mpsc::Receiver<Decided>>,
}

impl Outcomes {
    pub(super) fn new(concurrency: u32) -> Self {
        let (sender, receiver) = mpsc::channel(usize::try_from(concurrency).unwrap_or(usize::MAX).max(1));
        Self { sender, receiver: Mutex::new(receiver) }
    }

    pub(super) async fn offer(&self, decided: Decided) {
        // The receiver lives as long as `self`.
        let _ = self.sender.send(decided).await;
    }
}

impl Runner {
    /// The service that makes outcomes durable. Told to stop, it writes what has been decided, then ends.
    pub async fn finalize_outcomes(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let mut receiver = context.outcomes.receiver.lock().await;
        let mut batch = Vec::with_capacity(MAX_BATCH);
        loop {
            let more = token.run_until_cancelled(receiver.recv_many(&mut batch, MAX_BATCH)).await;
            if more.is_none() {
                while let Ok(decided) = receiver.try_recv() {
                    batch.push(decided);
                }
                finalize(&context, std::mem::take(&mut batch), &token).await;
                return Ok(());
            }
            finalize(&context, std::mem::take(&mut batch), &token).await;
        }
    }
}

/// Offers the same batch until the store has taken it. Its slots stay taken meanwhile: nobody is charged for the
/// infrastructure, and nothing is claimed that could not be finished.
async fn finalize(context: &Context, batch: Vec<Decided>, token: &CancellationToken) {
    if batch.is_empty() {
        return;
    }
    let (settlements, slots): (Vec<_>, Vec<_>) = batch.into_iter().map(|d| (d.settlement, d.slot)).unzip();
    let Some(settled) = offer(context, &settlements, token).await else { return };
    for (settlement, settled) in settlements.into_iter().zip(settled) {
        context.held.ended(settlement.run);
        context.events.emit(&told(settlement, &settled));
    }
    drop(slots);
}

async fn offer(
    context: &Context,
    settlements: &[Settlement],
    token: &CancellationToken,
) -> Option<Vec<Settled>> {
    let mut delay = RETRY.0;
    let mut last = None;
    loop {
        let error = match context.store.finalize(settlements, context.clock.now()).await {
            Ok(settled) => return Some(settled),
            Err(error) => error,
        };
        tracing::warn!(%error, outcomes = settlements.len(), "outcomes could not be stored; trying again");
        let now = context.clock.boot();
        let until = *last.get_or_insert_with(|| now.after(LAST_TRIES));
        if !token.is_cancelled() {
            last = None;
        } else if now >= until {
            tracing::error!(
                outcomes = settlements.len(),
                "outcomes were not stored; their jobs will run again"
            );
            return None;
        }
        context.clock.sleep(delay).await;
        delay = (delay * 2).min(RETRY.1);
    }
}

fn told(settlement: Settlement, settled: &Settled) -> Event {
    let job = JobRef::settled(&settlement);
    match settled {
        Settled::Superseded => Event::JobSuperseded { job },
        &Settled::Advanced { state, outcome, .. } => Event::JobFinished(Box::new(Finished {
            job,
            outcome,
            error_class: settlement.end.error_class,
            error_message: settlement.end.error_message,
            state,
            duration: settlement.end.duration,
            meter: settlement.end.meter,
        })),
    }
}

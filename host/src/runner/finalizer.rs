//! Making outcomes durable, in batches. While one batch is being written the next one gathers, so one job alone is
//! never delayed, and a thousand at once share a few transactions.
//!
//! What the infrastructure refuses is offered again as it is, for as long as it takes; its slots stay taken, so nobody
//! is charged and nothing is claimed that could not be finished. What takes too long, or can't be stored at all, is set
//! aside and cut down there, while the outcomes that come after it are written.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::aside::{Aside, Part};
use super::context::Context;
use super::outcomes::Decided;
use super::{Runners, pace};
use crate::clock::Boot;
use crate::event::{Event, Finished, JobRef};
use crate::job::Settlement;
use crate::service::ServiceError;
use crate::store::{Settled, StoreError};

/// The most outcomes in one batch.
const MAX_BATCH: usize = 256;
/// Between two tries of the same batch: from, and up to.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// After being told to stop, what the database refuses to take is tried for so long.
const LAST_TRIES: Duration = Duration::from_secs(5);

impl Runners {
    /// The service that makes outcomes durable. Told to stop, it writes what has been decided, then ends; what it can't
    /// write is left to [`Runners::offer_what_is_left`].
    pub async fn finalize_outcomes(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let aside = Aside::default();
        tokio::join!(write_fresh(&context, &aside, &token), write_aside(&context, &aside, &token));
        Ok(())
    }

    /// Offers once more what the finalizer left, before the node leaves; what is not taken now still holds its slots.
    pub async fn offer_what_is_left(&self) {
        let mut left = self.0.outcomes.take_left();
        if let Ok(mut receiver) = self.0.outcomes.receiver.try_lock() {
            // Where the finalizer died, they still wait for it.
            while let Ok(decided) = receiver.try_recv() {
                left.push(decided);
            }
        }
        if let Err((error, left)) = offer(&self.0, left).await {
            tracing::error!(%error, outcomes = left.len(), "outcomes were not stored; their jobs will run again");
            self.0.outcomes.leave(left);
        }
    }
}

async fn write_fresh(context: &Context, aside: &Aside, token: &CancellationToken) {
    let mut receiver = context.outcomes.receiver.lock().await;
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut patience = Patience::default();
    let mut answered = context.clock.boot();
    loop {
        let more = token.run_until_cancelled(receiver.recv_many(&mut batch, MAX_BATCH)).await;
        if more.is_none() {
            while let Ok(decided) = receiver.try_recv() {
                batch.push(decided);
            }
        }
        gather(context, &mut receiver, &mut batch, answered).await;
        context.store_last_progress(batch.iter().map(|decided| decided.settlement.run)).await;
        write(context, std::mem::take(&mut batch), aside, &mut patience, token).await;
        answered = context.clock.boot();
        if more.is_none() {
            aside.no_more_comes();
            return;
        }
    }
}

/// While the line is long, an outcome waits a little for others, so that one batch stores many.
async fn gather(
    context: &Context,
    receiver: &mut mpsc::Receiver<Decided>,
    batch: &mut Vec<Decided>,
    answered: Boot,
) {
    let enough = || pace::enough(context.concurrency()).min(context.member.busy());
    while let Some(until) = context.until(answered)
        && u32::try_from(batch.len()).is_ok_and(|gathered| gathered < enough())
        && context.clock.boot() < until
    {
        tokio::select! {
            _ = receiver.recv_many(batch, MAX_BATCH) => {}
            () = context.clock.sleep_until(until) => {}
        }
    }
}

/// Offers a batch until it is stored, set aside, or left.
async fn write(
    context: &Context,
    mut batch: Vec<Decided>,
    aside: &Aside,
    patience: &mut Patience,
    token: &CancellationToken,
) {
    let mut delay = RETRY.0;
    while let Err((error, refused)) = offer(context, batch).await {
        if error.took_too_long() || !error.is_passing() {
            tracing::warn!(%error, outcomes = refused.len(), "outcomes could not be stored together; trying fewer");
            return aside.take(Part::new(refused), &error, context.clock.boot());
        }
        tracing::warn!(%error, outcomes = refused.len(), "outcomes could not be stored; trying again");
        if patience.is_over(token, context.clock.boot()) {
            return context.outcomes.leave(refused);
        }
        batch = refused;
        context.clock.sleep(delay).await;
        delay = (delay * 2).min(RETRY.1);
    }
}

/// Offers what was set aside, part by part, each when it is due.
async fn write_aside(context: &Context, aside: &Aside, token: &CancellationToken) {
    let mut patience = Patience::default();
    while let Some(mut part) = aside.next_due(&context.clock).await {
        let outcomes = std::mem::take(&mut part.outcomes);
        let Err((error, refused)) = offer(context, outcomes).await else { continue };
        let now = context.clock.boot();
        if patience.is_over(token, now) {
            context.outcomes.leave(refused);
            context.outcomes.leave(aside.take_all());
        } else {
            aside.take(part.with(refused), &error, now);
        }
    }
}

/// Offers a batch once. What is stored is told, and its slots are free.
async fn offer(context: &Context, batch: Vec<Decided>) -> Result<(), (StoreError, Vec<Decided>)> {
    if batch.is_empty() {
        return Ok(());
    }
    let (settlements, holds): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|Decided { settlement, grip, slot }| (settlement, (grip, slot))).unzip();
    match context.store.finalize(&settlements, context.clock.now()).await {
        Ok(settled) => {
            for ((settlement, (grip, slot)), settled) in settlements.into_iter().zip(holds).zip(settled) {
                drop(grip);
                context.events.emit(&told(settlement, &settled));
                drop(slot);
            }
            Ok(())
        }
        Err(error) => {
            let again = settlements.into_iter().zip(holds);
            let again = again.map(|(settlement, (grip, slot))| Decided { settlement, grip, slot });
            Err((error, again.collect()))
        }
    }
}

/// How long the finalizer goes on after it was told to stop.
#[derive(Default)]
struct Patience(Option<Boot>);

impl Patience {
    fn is_over(&mut self, token: &CancellationToken, now: Boot) -> bool {
        token.is_cancelled() && now >= *self.0.get_or_insert_with(|| now.after(LAST_TRIES))
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

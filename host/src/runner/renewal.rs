//! Keeping the lease: renew, compare notes with the database, and stop what is no longer this node's.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::{Lease, Runner, RunnerConfig};
use crate::clock::Clock;
use crate::event::{Event, JobRef};
use crate::job::{Json, NodeId, RunId};
use crate::sandbox::StopCause;
use crate::service::ServiceError;
use crate::store::{
    Classes, Comparison, Database, NewNode, Notes, Reclaimed, Renewal, Renewed, Result, SharedStore,
    StoreError,
};

/// Enters the node into the store under a new id: answers its lease, and what a dead process had left running.
///
/// # Errors
/// Whatever the store says.
pub async fn enter(
    store: &SharedStore,
    config: &RunnerConfig,
    clock: &Clock,
) -> Result<(Lease, Vec<Reclaimed>)> {
    let sent = clock.boot();
    let (node, reclaimed) = register(store, config, clock).await?;
    let length = match store.database() {
        Database::Sqlite => None,
        Database::Postgres => Some(config.lease),
    };
    Ok((Lease::new(clock.clone(), length, node, sent), reclaimed))
}

async fn register(
    store: &SharedStore,
    config: &RunnerConfig,
    clock: &Clock,
) -> Result<(NodeId, Vec<Reclaimed>)> {
    let node = NewNode {
        id: NodeId::mint(clock.now()),
        name: config.name.clone(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        concurrency: config.concurrency,
        serves: serves(config),
        lease: config.lease,
        retention: config.retention.clone(),
    };
    let registered = store.register(&node, &config.losses, clock.now()).await?;
    if let Some(database) = registered.database_time {
        clock.anchor(database, clock.boot());
    }
    Ok((node.id, registered.reclaimed))
}

fn serves(config: &RunnerConfig) -> Json {
    let classes = match &config.classes {
        Classes::Every => serde_json::json!("*"),
        Classes::Only(classes) => serde_json::json!(classes),
    };
    let queues = config.queues.iter().map(|served| (served.queue.as_str(), served.concurrency));
    let queues: BTreeMap<_, _> = queues.collect();
    let weights = config.queues.iter().map(|served| (served.queue.as_str(), served.weight.get()));
    let weights: BTreeMap<_, _> = weights.collect();
    Json::stored(serde_json::json!({ "queues": queues, "weights": weights, "classes": classes }).to_string())
}

impl Runner {
    /// The service that keeps the lease: it renews every third of it, and stops all attempts if it could not.
    pub async fn keep_lease(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        let every = context.config.lease / 3;
        loop {
            let end = async {
                match context.lease.end() {
                    Some(end) if context.lease.is_held() => context.clock.sleep_until(end).await,
                    _ => std::future::pending().await,
                }
            };
            let due = every.saturating_sub(context.lease.age()).max(every / 10);
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = end => lost(&context),
                () = context.clock.sleep(due) => renew_or_lose(&context).await,
            }
        }
    }

    /// Tells of what was taken from a lost node or a dead process.
    pub fn tell_reclaimed(&self, reclaimed: &[Reclaimed]) {
        tell_reclaimed(&self.0, reclaimed);
    }
}

/// Renews; while the answer is awaited, the lease may end.
async fn renew_or_lose(context: &Context) {
    let renewal = renew(context);
    tokio::pin!(renewal);
    if let Some(end) = context.lease.end().filter(|_| context.lease.is_held()) {
        tokio::select! {
            () = &mut renewal => return,
            () = context.clock.sleep_until(end) => lost(context),
        }
    }
    renewal.await;
}

/// The local end of the lease: everything stops at once. Outcomes that were decided are kept and offered later.
fn lost(context: &Context) {
    let attempts = context.held.ask_all(StopCause::LeaseLost, Duration::ZERO);
    context.events.emit(&Event::LeaseLost { attempts });
}

async fn renew(context: &Context) {
    let snapshot = context.held.snapshot();
    let sent = context.clock.boot();
    let renewal = Renewal {
        node: context.lease.node(),
        lease: context.config.lease,
        held: snapshot.held,
        unwritten: snapshot.unwritten,
        pending: snapshot.pending,
        watermark: snapshot.watermark,
        in_flight: context.slots.busy(),
        elapsed: context.lease.age(),
    };
    match context.store.renew(&renewal, context.clock.now()).await {
        Ok(renewed) => {
            context.lease.renewed(sent);
            context.clock.anchor(renewed.database_time, context.clock.boot());
            compare_notes(context, &renewed);
        }
        Err(StoreError::NodeLost) => enter_anew(context).await,
        Err(error) => tracing::warn!(%error, age = ?context.lease.age(), "the lease was not renewed"),
    }
}

fn compare_notes(context: &Context, renewed: &Renewed) {
    // Without a comparison nothing is known to be lost, and nothing known not to be: the next renewal makes it.
    let Notes::Compared(Comparison { lost, cancels, released }) = &renewed.notes else { return };
    // What has ended meanwhile is not lost: its outcome was stored after the list was made.
    let stop = |run: &&RunId| context.held.ask(**run, StopCause::LeaseLost, Duration::ZERO);
    let lost = lost.iter().filter(stop).count();
    for run in cancels {
        context.held.ask(*run, StopCause::Cancel, context.config.stop_grace);
    }
    let released = released.len();
    if lost > 0 || released > 0 {
        tracing::warn!(lost, released, "the database and this node did not agree on what it holds");
    }
}

/// Another node marked this one lost: what it ran is no longer its own, and it goes on under a new id.
async fn enter_anew(context: &Context) {
    lost(context);
    let sent = context.clock.boot();
    match register(&context.store, &context.config, &context.clock).await {
        Ok((node, reclaimed)) => {
            tracing::warn!(%node, "this node was marked lost and goes on under a new id");
            context.lease.registered(node, sent);
            tell_reclaimed(context, &reclaimed);
        }
        Err(error) => tracing::warn!(%error, "this node was marked lost and could not register anew"),
    }
}

fn tell_reclaimed(context: &Context, reclaimed: &[Reclaimed]) {
    for Reclaimed { job, run, kind, queue, outcome, transition, attempt, .. } in reclaimed {
        let job =
            JobRef { job: *job, run: *run, kind: kind.clone(), queue: queue.clone(), attempt: *attempt };
        context.events.emit(&Event::JobReclaimed { job, state: transition.state(), outcome: *outcome });
    }
}

//! Keeping the lease: renew, compare notes with the database, and stop what is no longer this node's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::member::Membership;
use super::{Lease, Member, MemberConfig, RunnerConfig};
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
pub(super) async fn enter(
    store: &SharedStore,
    config: &MemberConfig,
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
    config: &MemberConfig,
    clock: &Clock,
) -> Result<(NodeId, Vec<Reclaimed>)> {
    let node = NewNode {
        id: NodeId::mint(clock.now()),
        name: config.name.clone(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        concurrency: config.runners.iter().map(|runner| runner.concurrency).sum(),
        serves: serves(&config.runners),
        lease: config.lease,
        retention: config.retention.clone(),
    };
    let registered = store.register(&node, &config.losses, clock.now()).await?;
    if let Some(database) = registered.database_time {
        clock.anchor(database, clock.boot());
    }
    Ok((node.id, registered.reclaimed))
}

/// What the runners take together; and where there is not just one, each for itself.
fn serves(runners: &[RunnerConfig]) -> Json {
    let mut serves = serves_together(runners);
    if runners.len() != 1 {
        let each = runners.iter().map(|runner| {
            let mut one = serves_together(std::slice::from_ref(runner));
            one["name"] = runner.name.as_str().into();
            one["concurrency"] = runner.concurrency.into();
            one
        });
        serves["runners"] = each.collect();
    }
    Json::stored(serves.to_string())
}

fn serves_together(runners: &[RunnerConfig]) -> serde_json::Value {
    let mut queues = BTreeMap::<&str, u32>::new();
    let mut weights = BTreeMap::<&str, u16>::new();
    if runners.iter().all(|runner| !runner.queues.is_empty()) {
        for served in runners.iter().flat_map(|runner| &runner.queues) {
            *queues.entry(served.queue.as_str()).or_default() += served.concurrency;
            let weight = weights.entry(served.queue.as_str()).or_default();
            *weight = served.weight.get().max(*weight);
        }
    }
    let classes = runners.iter().map(|runner| match &runner.classes {
        Classes::Every => None,
        Classes::Only(classes) => Some(classes),
    });
    let classes: Option<Vec<_>> = classes.collect();
    let classes = classes.map_or_else(
        || serde_json::json!("*"),
        |classes| {
            serde_json::json!(
                classes.into_iter().flatten().map(|class| class.as_str()).collect::<BTreeSet<_>>()
            )
        },
    );
    serde_json::json!({ "queues": queues, "weights": weights, "classes": classes })
}

impl Member {
    /// The service that keeps the lease: it renews every third of it, and stops all attempts if it could not.
    pub async fn keep_lease(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(member) = self;
        let every = member.config.lease / 3;
        loop {
            let end = async {
                match member.lease.end() {
                    Some(end) if member.lease.is_held() => member.clock.sleep_until(end).await,
                    _ => std::future::pending().await,
                }
            };
            let due = every.saturating_sub(member.lease.age()).max(every / 10);
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = end => lost(&member),
                () = member.clock.sleep(due) => renew_or_lose(&member).await,
            }
        }
    }

    /// Tells of what was taken from a lost node or a dead process.
    pub fn tell_reclaimed(&self, reclaimed: &[Reclaimed]) {
        tell_reclaimed(&self.0, reclaimed);
    }
}

/// Renews; while the answer is awaited, the lease may end.
async fn renew_or_lose(member: &Membership) {
    let renewal = renew(member);
    tokio::pin!(renewal);
    if let Some(end) = member.lease.end().filter(|_| member.lease.is_held()) {
        tokio::select! {
            () = &mut renewal => return,
            () = member.clock.sleep_until(end) => lost(member),
        }
    }
    renewal.await;
}

/// The local end of the lease: everything stops at once. Outcomes that were decided are kept and offered later.
fn lost(member: &Membership) {
    let attempts = member.held.ask_all(StopCause::LeaseLost, Duration::ZERO);
    member.events.emit(&Event::LeaseLost { attempts });
}

async fn renew(member: &Membership) {
    let snapshot = member.held.snapshot();
    let sent = member.clock.boot();
    let renewal = Renewal {
        node: member.lease.node(),
        lease: member.config.lease,
        held: snapshot.held,
        unwritten: snapshot.unwritten,
        pending: snapshot.pending,
        watermark: snapshot.watermark,
        in_flight: member.busy(),
        elapsed: member.lease.age(),
    };
    match member.store.renew(&renewal, member.clock.now()).await {
        Ok(renewed) => {
            member.lease.renewed(sent);
            member.clock.anchor(renewed.database_time, member.clock.boot());
            compare_notes(member, &renewed);
        }
        Err(StoreError::NodeLost) => enter_anew(member).await,
        Err(error) => tracing::warn!(%error, age = ?member.lease.age(), "the lease was not renewed"),
    }
}

fn compare_notes(member: &Membership, renewed: &Renewed) {
    // Without a comparison nothing is known to be lost, and nothing known not to be: the next renewal makes it.
    let Notes::Compared(Comparison { lost, cancels, released }) = &renewed.notes else { return };
    // What has ended meanwhile is not lost: its outcome was stored after the list was made.
    let stop = |run: &&RunId| member.held.ask(**run, StopCause::LeaseLost, Duration::ZERO);
    let lost = lost.iter().filter(stop).count();
    for run in cancels {
        member.held.ask(*run, StopCause::Cancel, member.config.stop_grace);
    }
    let released = released.len();
    if lost > 0 || released > 0 {
        tracing::warn!(lost, released, "the database and this node did not agree on what it holds");
    }
}

/// Another node marked this one lost: what it ran is no longer its own, and it goes on under a new id.
async fn enter_anew(member: &Membership) {
    lost(member);
    let sent = member.clock.boot();
    match register(&member.store, &member.config, &member.clock).await {
        Ok((node, reclaimed)) => {
            tracing::warn!(%node, "this node was marked lost and goes on under a new id");
            member.lease.registered(node, sent);
            tell_reclaimed(member, &reclaimed);
        }
        Err(error) => tracing::warn!(%error, "this node was marked lost and could not register anew"),
    }
}

fn tell_reclaimed(member: &Membership, reclaimed: &[Reclaimed]) {
    for Reclaimed { job, run, kind, queue, outcome, transition, attempt, .. } in reclaimed {
        let job =
            JobRef { job: *job, run: *run, kind: kind.clone(), queue: queue.clone(), attempt: *attempt };
        member.events.emit(&Event::JobReclaimed { job, state: transition.state(), outcome: *outcome });
    }
}

//! A request for work on its way to a database, and the raw answer.

use std::sync::Arc;

use super::batch::{Wire, join, texts};
use super::value::{Row, Value};
use super::{ClaimRequest, Classes, QueueRoom, QueueShare, Queues, ServedKind, Turn};
use crate::job::{Claim, NodeId, RunId, Timestamp, Weight};

/// A request, in the form that statements take.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) node: NodeId,
    /// At most one job for each.
    pub(super) runs: Vec<RunId>,
    pub(super) served: Arc<[ServedKind]>,
    /// The kinds served, with what their jobs and runs get from them.
    pub(super) kinds: Arc<str>,
    /// `None` is every queue, without a bound.
    pub(super) rooms: Option<Arc<[QueueRoom]>>,
    /// Of the queues that differ from one that is not named.
    pub(super) shares: Vec<QueueShare>,
    classes: Option<Arc<str>>,
    pub(super) turn: Turn,
    /// Of args that may be taken.
    pub(super) bytes: usize,
    pub(super) now: Timestamp,
}

/// Of args in the answers of one claim, but for a single job that has more. A repeated claim answers all at once, and has
/// to be through before the connection's patience ends.
const MOST_BYTES: usize = 8 << 20;

/// What a claim came to.
#[derive(Debug)]
pub(super) struct Taken {
    /// The node was not marked lost.
    pub(super) alive: bool,
    /// Others were claiming the same jobs: there may be more.
    pub(super) contended: bool,
    /// One answer carries no more: there is more.
    pub(super) cut: bool,
    pub(super) last_chances: bool,
    /// A row for each job.
    pub(super) rows: Vec<Row>,
}

impl Ask {
    pub(super) fn new(request: &ClaimRequest, now: Timestamp) -> Self {
        let kinds: Vec<String> = request.kinds.iter().map(served).collect();
        let rooms = match &request.queues {
            Queues::Every => None,
            Queues::Only(rooms) => Some(rooms.as_slice().into()),
        };
        let classes = match &request.classes {
            Classes::Every => None,
            Classes::Only(classes) => Some(texts(classes).into()),
        };
        let most = match request.turn {
            Turn::Fresh => request.runs.len(),
            Turn::LastChance => 1,
        };
        Self {
            node: request.node,
            runs: request.runs.iter().copied().take(most).collect(),
            served: request.kinds.as_slice().into(),
            kinds: join(&kinds).into(),
            rooms,
            shares: request.shares.clone(),
            classes,
            turn: request.turn,
            bytes: MOST_BYTES,
            now,
        }
    }

    /// A run id was used up.
    pub(super) fn used(&mut self, used: RunId) {
        self.runs.retain(|run| *run != used);
    }

    /// A claim has used up its run id, room and turn of its queue, and bytes.
    pub(super) fn less(&mut self, claim: &Claim) {
        self.used(claim.run);
        self.bytes = self.bytes.saturating_sub(claim.args.as_str().len());
        if let Some(rooms) = &mut self.rooms
            && let Some(room) = Arc::make_mut(rooms).iter_mut().find(|room| room.queue == claim.queue)
        {
            room.room = room.room.saturating_sub(1);
        }
        let share = self.shares.iter().find(|share| share.queue == claim.queue);
        let (ahead, weight) = share.map_or((0, Weight::default()), |share| (share.ahead, share.weight));
        self.shares.retain(|share| share.queue != claim.queue);
        self.shares.push(QueueShare { queue: claim.queue.clone(), weight, ahead: ahead + weight.cost() });
    }

    /// The executor classes as a JSON array; null is every one.
    pub(super) fn classes(&self) -> Value {
        Value::Text(self.classes.clone())
    }
}

fn served(kind: &ServedKind) -> String {
    // Neither database's form matters: there is no time in it.
    Wire::Micros.item(|fields| {
        fields.text("kind", &kind.kind);
        fields.number("timeout_ms", kind.timeout.as_millis());
        fields.text("digest", &kind.digest);
    })
}

//! What the node believes that it holds: attempts whose outcome is not durable yet, and claims not answered yet.
//! A renewal compares this with what the database believes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

use crate::clock::{Boot, Clock};
use crate::job::{Claim, RunId};
use crate::sandbox::{Stop, StopCause};

/// Attempts and claims of this node. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Held(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    ids: ContextV7,
    attempts: HashMap<RunId, Entry>,
    pending: HashSet<RunId>,
    /// What is asked of every attempt that comes from now on, and when its grace is over.
    standing: Vec<(StopCause, Boot)>,
}

/// One attempt.
#[derive(Debug)]
struct Entry {
    stop: Stop,
    stage: Stage,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not ended.
    Running,
    /// It has ended, and its outcome is not durable yet.
    Decided,
}

/// What a renewal tells the store.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// Attempts whose outcome is not durable yet.
    pub held: Vec<RunId>,
    /// Those of them that have ended.
    pub unwritten: Vec<RunId>,
    /// Run ids of claims that were not answered yet.
    pub pending: Vec<RunId>,
    /// Later than every id that was minted before the snapshot, earlier than every one after it: what was claimed
    /// after it is none of the renewal's business, however late the renewal is carried out.
    pub watermark: RunId,
}

/// A claim that was not answered yet. Dropped, it is given up: an answer that comes later is nobody's, and the next
/// renewal gives back what it brought.
#[derive(Debug)]
#[must_use = "dropped, the claim is given up"]
pub(super) struct Unanswered {
    held: Held,
    runs: Vec<RunId>,
}

/// The hold of one attempt. It goes with the attempt, and with its outcome to where that becomes durable. Dropped
/// before, by whatever accident, the attempt is held no more, and the next renewal gives its job back.
#[derive(Debug)]
#[must_use = "dropped, the attempt is held no more"]
pub(super) struct Grip {
    held: Held,
    run: RunId,
    stop: Stop,
}

impl Held {
    /// Nothing yet.
    pub(super) fn new(clock: Clock) -> Self {
        let table = Table {
            ids: ContextV7::new(),
            attempts: HashMap::new(),
            pending: HashSet::new(),
            standing: Vec::new(),
        };
        Self(Arc::new(Inner { clock, table: Mutex::new(table) }))
    }

    /// Mints ids for a claim that is about to be sent.
    pub(super) fn begin_claim(&self, count: u32) -> Unanswered {
        let mut table = self.table();
        let runs: Vec<_> = (0..count).map(|_| table.mint(&self.0.clock)).collect();
        table.pending.extend(&runs);
        Unanswered { held: self.clone(), runs }
    }

    /// Asks one attempt to stop, and says whether it still runs: one that has ended is past asking.
    pub(super) fn ask(&self, run: RunId, cause: StopCause, grace: Duration) -> bool {
        let table = self.table();
        let running = table.attempts.get(&run).filter(|entry| entry.stage == Stage::Running);
        let stop = running.map(|entry| entry.stop.clone());
        drop(table);
        if let Some(stop) = &stop {
            stop.ask(cause, grace);
        }
        stop.is_some()
    }

    /// Asks all attempts to stop, and says how many there are.
    pub(super) fn ask_all(&self, cause: StopCause, grace: Duration) -> usize {
        let table = self.table();
        let stops: Vec<_> = table.attempts.values().map(|entry| entry.stop.clone()).collect();
        drop(table);
        for stop in &stops {
            stop.ask(cause, grace);
        }
        stops.len()
    }

    /// As [`Held::ask_all`], and asks it of those too that a claim under way brings later.
    pub(super) fn ask_for_good(&self, cause: StopCause, grace: Duration) {
        let hard = self.0.clock.boot().after(grace);
        self.table().standing.push((cause, hard));
        self.ask_all(cause, grace);
    }

    /// Whether the attempt still runs.
    pub(super) fn runs(&self, run: RunId) -> bool {
        self.table().attempts.get(&run).is_some_and(|entry| entry.stage == Stage::Running)
    }

    /// Whether there is neither an attempt nor a claim that may bring one.
    pub(super) fn is_nothing(&self) -> bool {
        let table = self.table();
        table.attempts.is_empty() && table.pending.is_empty()
    }

    /// Whether the id is of a claim that was not answered yet.
    pub(super) fn is_pending(&self, run: RunId) -> bool {
        self.table().pending.contains(&run)
    }

    /// What the node believes now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let table = self.table();
        let ended = table.attempts.iter().filter(|(_, entry)| entry.stage == Stage::Decided);
        Snapshot {
            held: table.attempts.keys().copied().collect(),
            unwritten: ended.map(|(run, _)| *run).collect(),
            pending: table.pending.iter().copied().collect(),
            watermark: table.mint(&self.0.clock),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unanswered {
    /// The ids that it asks with.
    pub(super) fn runs(&self) -> &[RunId] {
        &self.runs
    }

    /// It was answered: what it brought is held from now on, and its other ids are forgotten.
    pub(super) fn answered(self, claims: &[Claim]) -> Vec<Grip> {
        let clock = &self.held.0.clock;
        let grip =
            |claim: &Claim| Grip { held: self.held.clone(), run: claim.run, stop: Stop::new(clock.clone()) };
        let grips: Vec<_> = claims.iter().map(grip).collect();
        let entry = |grip: &Grip| (grip.run, Entry { stop: grip.stop.clone(), stage: Stage::Running });
        let standing = {
            let mut table = self.held.table();
            table.attempts.extend(grips.iter().map(entry));
            table.standing.clone()
        };
        for (cause, hard) in standing {
            grips.iter().for_each(|grip| grip.stop.ask(cause, hard.since(clock.boot())));
        }
        // The ids leave the list of claims when `self` is dropped: at no moment are they in neither.
        grips
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let mut table = self.held.table();
        for run in &self.runs {
            table.pending.remove(run);
        }
    }
}

impl Grip {
    /// How the attempt is told to stop.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// The attempt has ended; its outcome is not durable yet.
    pub(super) fn decided(&self) {
        if let Some(entry) = self.held.table().attempts.get_mut(&self.run) {
            entry.stage = Stage::Decided;
        }
    }
}

impl Drop for Grip {
    fn drop(&mut self) {
        self.held.table().attempts.remove(&self.run);
    }
}

impl Table {
    /// A run id greater than every one before it, whatever the clock does.
    fn mint(&self, clock: &Clock) -> RunId {
        let (seconds, nanos) = clock.now().unix_parts();
        RunId::from(Uuid::new_v7(UuidTime::from_unix(&self.ids, seconds, nanos)))
    }
}

#[cfg(test)]
#[path = "held_tests.rs"]
mod tests;

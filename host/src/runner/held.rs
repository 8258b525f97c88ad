//! What the node believes that it holds: attempts whose outcome is not durable yet, and claims not answered yet.
//! A renewal compares this with what the database believes.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

use crate::clock::Clock;
use crate::job::{Claim, RunId};
use crate::sandbox::{Stop, StopCause};

/// Attempts and claims of this node.
#[derive(Debug)]
pub(super) struct Held {
    clock: Clock,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    ids: ContextV7,
    attempts: HashMap<RunId, Entry>,
    pending: HashSet<RunId>,
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

impl Held {
    /// Nothing yet.
    pub(super) fn new(clock: Clock) -> Self {
        let table = Table { ids: ContextV7::new(), attempts: HashMap::new(), pending: HashSet::new() };
        Self { clock, table: Mutex::new(table) }
    }

    /// Mints ids for a claim that is about to be sent.
    pub(super) fn begin_claim(&self, count: u32) -> Vec<RunId> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let runs: Vec<_> = (0..count).map(|_| table.mint(&self.clock)).collect();
        table.pending.extend(&runs);
        runs
    }

    /// A claim was answered: what it brought is held from now on, and its other ids are forgotten.
    pub(super) fn answered(&self, runs: &[RunId], claims: &[Claim]) -> Vec<Stop> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        for run in runs {
            table.pending.remove(run);
        }
        let stops = claims.iter().map(|claim| (claim.run, Stop::new(self.clock.clone())));
        let stops: Vec<_> = stops.collect();
        let entry = |(run, stop): &(RunId, Stop)| (*run, Entry { stop: stop.clone(), stage: Stage::Running });
        table.attempts.extend(stops.iter().map(entry));
        stops.into_iter().map(|(_, stop)| stop).collect()
    }

    /// A claim is given up: an answer that comes later is dropped, and the next renewal gives back what it brought.
    pub(super) fn given_up(&self, runs: &[RunId]) {
        self.answered(runs, &[]);
    }

    /// An attempt has ended; its outcome is not durable yet.
    pub(super) fn decided(&self, run: RunId) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = table.attempts.get_mut(&run) {
            entry.stage = Stage::Decided;
        }
    }

    /// The outcome of an attempt is durable, or no longer this node's to give.
    pub(super) fn ended(&self, run: RunId) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).attempts.remove(&run);
    }

    /// Asks one attempt to stop, and says whether it still runs: one that has ended is past asking.
    pub(super) fn ask(&self, run: RunId, cause: StopCause, grace: Duration) -> bool {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
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
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let stops: Vec<_> = table.attempts.values().map(|entry| entry.stop.clone()).collect();
        drop(table);
        for stop in &stops {
            stop.ask(cause, grace);
        }
        stops.len()
    }

    /// How many attempts there are.
    pub(super) fn count(&self) -> usize {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).attempts.len()
    }

    /// What the node believes now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = table.attempts.iter().filter(|(_, entry)| entry.stage == Stage::Decided);
        Snapshot {
            held: table.attempts.keys().copied().collect(),
            unwritten: ended.map(|(run, _)| *run).collect(),
            pending: table.pending.iter().copied().collect(),
            watermark: table.mint(&self.clock),
        }
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
mod tests {
    use super::*;
    use crate::job::Timestamp;

    #[test]
    fn run_ids_grow_whatever_the_clock_does_and_a_snapshot_parts_them() {
        let clock = Clock::anchored();
        let held = Held::new(clock.clone());
        clock.anchor(Timestamp::from_micros(2_000_000_000_000_000), clock.boot());
        let before = held.begin_claim(1000);
        let snapshot = held.snapshot();
        // The database's clock was stepped back by years.
        clock.anchor(Timestamp::from_micros(1_000_000_000_000_000), clock.boot());
        let after = held.begin_claim(1000);
        assert!(before.is_sorted() && before.iter().all(|run| *run < snapshot.watermark));
        assert!(after.is_sorted() && after.iter().all(|run| *run > snapshot.watermark));
    }

    #[test]
    fn a_claim_that_was_given_up_is_neither_pending_nor_held() {
        let held = Held::new(Clock::manual(Timestamp::EPOCH));
        let runs = held.begin_claim(3);
        assert_eq!(held.snapshot().pending.len(), 3);
        held.given_up(&runs);
        let snapshot = held.snapshot();
        assert!(snapshot.pending.is_empty() && snapshot.held.is_empty());
    }
}

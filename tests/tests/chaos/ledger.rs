//! What was enqueued, as whoever enqueued it knows: the book that the tables are compared with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use flyball::job::JobId;
use flyball_tests::ambient;

use super::part::Part;

/// A job whose enqueue was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) part: Part,
    pub(crate) entered: Instant,
}

/// One time in which no job of the side queue may start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    /// When the order to pause was answered.
    pub(crate) from: ambient::Moment,
    /// When the order to resume was given.
    pub(crate) to: ambient::Moment,
}

/// The book, which those who enqueue and operate share.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: Mutex<BTreeMap<JobId, Entry>>,
    /// Jobs that were not enqueued because another had their key: their own ids, and whose it is.
    duplicates: Mutex<Vec<(JobId, JobId)>>,
    pauses: Mutex<Vec<Pause>>,
    /// What the database refused those who enqueue and operate.
    pub(crate) refused: AtomicUsize,
    /// And of that, for want of space.
    pub(crate) full: AtomicUsize,
    /// More is enqueued than is needed, to see it refused.
    pub(crate) pressing: AtomicBool,
}

impl Ledger {
    pub(crate) fn enter(&self, id: JobId, part: Part) {
        locked(&self.entries).insert(id, Entry { part, entered: ambient::instant() });
    }

    pub(crate) fn duplicate(&self, id: JobId, holder: JobId) {
        locked(&self.duplicates).push((id, holder));
    }

    pub(crate) fn paused(&self, pause: Pause) {
        locked(&self.pauses).push(pause);
    }

    pub(crate) fn entries(&self) -> BTreeMap<JobId, Entry> {
        locked(&self.entries).clone()
    }

    pub(crate) fn duplicates(&self) -> Vec<(JobId, JobId)> {
        locked(&self.duplicates).clone()
    }

    pub(crate) fn pauses(&self) -> Vec<Pause> {
        locked(&self.pauses).clone()
    }

    /// Notes an error of the database.
    pub(crate) fn note(&self, error: &impl std::fmt::Display) {
        let text = error.to_string();
        self.refused.fetch_add(1, Ordering::Relaxed);
        if ["full", "No space", "disk"].iter().any(|word| text.contains(word)) {
            self.full.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

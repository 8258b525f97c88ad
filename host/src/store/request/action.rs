//! What operators ordered, as it is read back.

use serde::Serialize;

use crate::job::{ActionId, Json, Timestamp};

/// Which orders to read.
#[derive(Clone, Copy, Debug)]
pub struct ActionFilter {
    /// Those that were given or went on since then.
    pub since: Timestamp,
    /// At most so many; 1…1000.
    pub limit: u32,
}

/// An order: who gave it, when, what it was and how many jobs it was about. All of its batches together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionRecord {
    /// Its id, by which a repeat is known.
    pub action_id: ActionId,
    /// Who gave it.
    pub who: String,
    /// When its first batch was carried out.
    pub at: Timestamp,
    /// When its last one was.
    pub last_at: Timestamp,
    /// What was ordered: the word of the operation, or what was done to one queue, kind or schedule.
    pub what: String,
    /// The operation with its details, and what its jobs were found by if they were not named.
    pub about: Option<Json>,
    /// In how many batches.
    pub batches: u64,
    /// How many jobs it changed.
    pub jobs_changed: u64,
    /// How many it left alone.
    pub jobs_left: u64,
}

//! What operators order, and are answered.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::{ActionId, JobId, JobState, Operation};

/// An operator's order: repeated, it answers what was recorded.
#[derive(Clone, Debug)]
pub struct Order {
    /// Minted by the caller.
    pub action: ActionId,
    /// Who gives it.
    pub who: String,
    /// What is to be done.
    pub operation: Operation,
}

/// What became of an order for one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was moved.
    Moved {
        /// To this state.
        state: JobState,
    },
    /// It runs; its node was told to stop it.
    Requested,
    /// It was left alone, for it is in a state that the order does not move.
    Left {
        /// This one.
        state: JobState,
    },
    /// It was left alone, for another job that has not ended holds its active key.
    KeyTaken {
        /// This one.
        holder: JobId,
    },
    /// It is gone, with its runs and logs.
    Deleted,
    /// It was left alone, for something still needs it.
    Needed {
        /// This.
        by: Need,
    },
    /// There is no such job.
    NotFound,
}

/// What still needs a job that has ended, so that it is not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Its own barrier, which has not fired.
    Barrier,
    /// The barrier of the run that asked for it, which has not fired.
    ParentsBarrier,
    /// The continuation of the run that asked for it, which has not ended and may read what it came to.
    Continuation,
}

impl Need {
    /// The word for it, as the statement says it.
    pub(in crate::store) fn of(word: &str) -> Option<Self> {
        match word {
            "barrier" => Some(Self::Barrier),
            "parents_barrier" => Some(Self::ParentsBarrier),
            "continuation" => Some(Self::Continuation),
            _ => None,
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Barrier => "its barrier has not fired",
            Self::ParentsBarrier => "the barrier of its parent has not fired",
            Self::Continuation => "the continuation of its parent, which may read it, has not ended",
        })
    }
}

/// What became of one batch of an order for a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was done.
    pub tally: Tally,
    /// Where the next batch begins; nothing is left if there is none.
    pub next: Option<JobId>,
}

/// What became of the jobs of an order, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Those that were moved, by the state to which.
    pub moved: BTreeMap<JobState, u64>,
    /// Those that run and whose nodes were told to stop them.
    pub requested: u64,
    /// Those left alone that had moved on before it was their turn, by their state.
    pub left: BTreeMap<JobState, u64>,
    /// Those left alone whose active key another job holds.
    pub keys_taken: Vec<KeyTaken>,
    /// Those that are gone.
    pub deleted: u64,
    /// Those left alone that something still needs, by what.
    pub needed: BTreeMap<Need, u64>,
}

/// A job that was left alone, and who holds its active key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each is the id of a job")]
pub struct KeyTaken {
    pub id: JobId,
    pub holder: JobId,
}

impl Tally {
    /// How many jobs were changed.
    pub fn changed(&self) -> u64 {
        self.moved.values().sum::<u64>() + self.requested + self.deleted
    }

    /// How many jobs were left alone.
    pub fn untouched(&self) -> u64 {
        let keys = self.keys_taken.len() as u64;
        self.left.values().sum::<u64>() + self.needed.values().sum::<u64>() + keys
    }

    /// Counts one more answer.
    pub fn count(&mut self, id: JobId, answer: Answer) {
        match answer {
            Answer::Moved { state } => *self.moved.entry(state).or_default() += 1,
            Answer::Requested => self.requested += 1,
            Answer::Left { state } => *self.left.entry(state).or_default() += 1,
            Answer::KeyTaken { holder } => self.keys_taken.push(KeyTaken { id, holder }),
            Answer::Deleted => self.deleted += 1,
            Answer::Needed { by } => *self.needed.entry(by).or_default() += 1,
            // Of a selection: it was deleted before it was its turn.
            Answer::NotFound => {}
        }
    }

    /// Adds what another batch came to.
    pub fn add(&mut self, other: Self) {
        for (sums, counts) in [(&mut self.moved, other.moved), (&mut self.left, other.left)] {
            for (state, count) in counts {
                *sums.entry(state).or_default() += count;
            }
        }
        for (need, count) in other.needed {
            *self.needed.entry(need).or_default() += count;
        }
        self.requested += other.requested;
        self.deleted += other.deleted;
        self.keys_taken.extend(other.keys_taken);
    }
}

/// The jobs of a part of a selection, by state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many, by state.
    pub states: BTreeMap<JobState, u64>,
    /// Where the next part begins; nothing is left if there is none.
    pub next: Option<JobId>,
}

//! Queues and kinds whose jobs are not claimed, on any node, until an operator says so.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::{Kind, Queue};

/// Whose jobs an order is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flagged {
    /// Those of a queue.
    Queue(Queue),
    /// Those of a kind.
    Kind(Kind),
}

/// Whether they are claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// They keep their state, and are not claimed. What runs, runs on.
    Pause,
    /// They are claimed.
    Resume,
}

/// What became of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagSet {
    /// It is as ordered.
    Set,
    /// It was before.
    AsItWas,
}

impl fmt::Display for Flagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(queue) => write!(f, "queue {queue}"),
            Self::Kind(kind) => write!(f, "kind {kind}"),
        }
    }
}

impl Flag {
    /// The word of the order.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

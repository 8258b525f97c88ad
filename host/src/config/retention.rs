//! `[retention]`: what a file says of how long things are kept.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer};

use crate::job::{Keep, Queue, RetentionPolicy};
use crate::quantity::Span;

/// What is kept for ever.
const NEVER: &str = "never";

/// The table, its queues included.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetentionTable {
    succeeded: Option<KeepFor>,
    cancelled: Option<KeepFor>,
    discarded: Option<KeepFor>,
    logs: Option<KeepFor>,
    actions: Option<KeepFor>,
    nodes: Option<KeepFor>,
    queues: BTreeMap<Queue, QueueRetention>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct QueueRetention {
    succeeded: Option<KeepFor>,
    cancelled: Option<KeepFor>,
    discarded: Option<KeepFor>,
    logs: Option<KeepFor>,
}

/// So long, or for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeepFor(Option<Duration>);

impl<'de> Deserialize<'de> for KeepFor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEVER {
            return Ok(Self(None));
        }
        let Span(keep) =
            text.parse().map_err(|error| de::Error::custom(format!("{error}, or \"{NEVER}\"")))?;
        if keep < Duration::from_secs(1) {
            return Err(de::Error::custom(format!("{text:?} is too short: at least 1s, or \"{NEVER}\"")));
        }
        Ok(Self(Some(keep)))
    }
}

impl RetentionTable {
    /// What it comes to: a queue that says nothing of a state keeps it as all others do.
    pub(super) fn policy(&self) -> RetentionPolicy {
        let host = RetentionPolicy::default();
        let all = QueueRetention {
            succeeded: self.succeeded,
            cancelled: self.cancelled,
            discarded: self.discarded,
            logs: self.logs,
        };
        let keep = all.over(host.keep);
        RetentionPolicy {
            keep,
            queues: self.queues.iter().map(|(queue, own)| (queue.clone(), own.over(keep))).collect(),
            actions: over(self.actions, host.actions),
            nodes: over(self.nodes, host.nodes),
        }
    }
}

impl QueueRetention {
    fn over(self, below: Keep) -> Keep {
        Keep {
            succeeded: over(self.succeeded, below.succeeded),
            cancelled: over(self.cancelled, below.cancelled),
            discarded: over(self.discarded, below.discarded),
            logs: over(self.logs, below.logs),
        }
    }
}

fn over(own: Option<KeepFor>, below: Option<Duration>) -> Option<Duration> {
    own.map_or(below, |KeepFor(keep)| keep)
}

//! How long a node keeps things, as it stands in the node's row: the table `[retention]` as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use super::{Result, StoreError};
use crate::job::{Json, Keep, NodeId, Queue, RetentionPolicy};
use crate::quantity::Span;

/// What is kept for ever.
const NEVER: &str = "never";

/// How long one node keeps things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePolicy {
    /// Which.
    pub node: NodeId,
    /// What operators know it by.
    pub name: String,
    /// How long.
    pub policy: RetentionPolicy,
}

/// How long all keep things together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetPolicy {
    /// The longest of all, by queue and state: what one keeps no other deletes.
    pub policy: RetentionPolicy,
    /// Which nodes keep what for other times than the one who asks; none, if all agree.
    pub disagreement: Option<String>,
}

impl FleetPolicy {
    /// What these nodes and whoever asks come to.
    pub fn of(own: &RetentionPolicy, nodes: &[NodePolicy]) -> Self {
        let policy = nodes.iter().fold(own.clone(), |longest, node| longest.longest(&node.policy));
        let mut others: Vec<String> = nodes
            .iter()
            .map(|node| (&node.name, own.differences(&node.policy)))
            .filter(|(_, keys)| !keys.is_empty())
            .map(|(name, keys)| format!("{name} ({})", keys.join(", ")))
            .collect();
        others.dedup();
        Self { policy, disagreement: (!others.is_empty()).then(|| others.join("; ")) }
    }
}

/// So long, or for ever.
struct Term(Option<Duration>);

#[derive(Serialize, Deserialize)]
struct Terms {
    succeeded: Term,
    cancelled: Term,
    discarded: Term,
    logs: Term,
}

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    all: Terms,
    actions: Term,
    nodes: Term,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    queues: BTreeMap<Queue, Terms>,
}

/// As it is kept.
pub(super) fn write(policy: &RetentionPolicy) -> String {
    let written = Written {
        all: policy.keep.into(),
        actions: Term(policy.actions),
        nodes: Term(policy.nodes),
        queues: policy.queues.iter().map(|(queue, keep)| (queue.clone(), (*keep).into())).collect(),
    };
    serde_json::to_string(&written).unwrap_or_default()
}

/// As it was kept. What can't be read may keep what is about to be deleted, so it is no answer to leave it out.
pub(super) fn read(kept: &Json) -> Result<RetentionPolicy> {
    let written: Written = serde_json::from_str(kept.as_str()).map_err(|_| StoreError::Unreadable {
        what: "a node's retention",
        found: kept.as_str().to_owned(),
    })?;
    Ok(RetentionPolicy {
        keep: written.all.into(),
        queues: written.queues.into_iter().map(|(queue, terms)| (queue, terms.into())).collect(),
        actions: written.actions.0,
        nodes: written.nodes.0,
    })
}

impl From<Keep> for Terms {
    fn from(Keep { succeeded, cancelled, discarded, logs }: Keep) -> Self {
        Self {
            succeeded: Term(succeeded),
            cancelled: Term(cancelled),
            discarded: Term(discarded),
            logs: Term(logs),
        }
    }
}

impl From<Terms> for Keep {
    fn from(terms: Terms) -> Self {
        let Terms { succeeded, cancelled, discarded, logs } = terms;
        Self { succeeded: succeeded.0, cancelled: cancelled.0, discarded: discarded.0, logs: logs.0 }
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(keep) => serializer.collect_str(&Span(keep)),
            None => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == NEVER {
            return Ok(Self(None));
        }
        let Span(keep) = text.parse().map_err(de::Error::custom)?;
        Ok(Self(Some(keep)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_back_as_it_was_written() {
        let mut policy = RetentionPolicy { actions: None, ..RetentionPolicy::default() };
        let mail = Queue::new("mail").expect("a queue");
        policy
            .queues
            .insert(mail, Keep { discarded: None, logs: Some(Duration::from_secs(90)), ..policy.keep });
        let written = Json::stored(write(&policy));
        assert_eq!(read(&written).expect("read"), policy);
        assert!(written.as_str().contains(r#""succeeded":"7d""#), "{written:?}");
        assert!(read(&Json::empty_object()).is_err(), "what is not said is not guessed");
    }
}

//! Whether the living nodes have the same of each kind: while a rollout is under way, they have not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::NodeRecord;
use crate::job::NodeId;

/// A kind of which living nodes have different components.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skew {
    /// The kind.
    pub kind: String,
    /// The digests, each with the nodes that have it.
    pub digests: BTreeMap<String, BTreeSet<NodeId>>,
}

impl Skew {
    /// The kinds that differ among these nodes, by name. One that a node does not have differs from nothing.
    pub fn among<'n>(alive: impl IntoIterator<Item = &'n NodeRecord>) -> Vec<Self> {
        let mut kinds: BTreeMap<String, BTreeMap<String, BTreeSet<NodeId>>> = BTreeMap::new();
        for node in alive {
            for (kind, digest) in node.kind_digests() {
                kinds.entry(kind).or_default().entry(digest).or_default().insert(node.id);
            }
        }
        let differ = kinds.into_iter().filter(|(_, digests)| digests.len() > 1);
        differ.map(|(kind, digests)| Self { kind, digests }).collect()
    }
}

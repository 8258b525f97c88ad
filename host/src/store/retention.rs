//! What a store does so that it does not grow for ever.

use async_trait::async_trait;

use super::{Footprint, NodePolicy, PruneStep, Pruned, Result};
use crate::job::Timestamp;

/// Forgets what has been kept for long enough.
#[async_trait]
pub trait Retention {
    /// Takes one bounded step of a walk, in one transaction: runs and logs go first, and their jobs when all of theirs
    /// has gone. A job stays that has a barrier which has not fired, a child of it, and a child whose continuation has
    /// not ended.
    async fn prune(&self, step: &PruneStep, now: Timestamp) -> Result<Pruned>;
    /// How long the nodes keep things that take part in maintenance. One that is lost has its say for a day, unless it
    /// comes back under its name: it may be on its way.
    async fn policies(&self, now: Timestamp) -> Result<Vec<NodePolicy>>;
    /// How much room the jobs take.
    async fn footprint(&self) -> Result<Footprint>;
}

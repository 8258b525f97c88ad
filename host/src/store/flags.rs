//! What a store does about queues and kinds that are paused.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Flag, FlagSet, Flagged, Result, SingleOrder};
use crate::job::{Queue, Timestamp};

/// Remembers which queues and kinds are not claimed from.
#[async_trait]
pub trait Flags {
    /// Pauses a queue or a kind for all nodes, or resumes it; jobs keep their state. It need not have jobs, or be known.
    async fn flag(
        &self,
        order: &SingleOrder,
        flagged: &Flagged,
        flag: Flag,
        now: Timestamp,
    ) -> Result<FlagSet>;
    /// The queues that are paused. The kinds tell it of themselves.
    async fn paused_queues(&self) -> Result<BTreeSet<Queue>>;
}

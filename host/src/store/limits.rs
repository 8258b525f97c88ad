//! What a store does about limits.

use async_trait::async_trait;

use super::{LimitKept, LimitLine, LimitRecord, LimitRemoved, LimitsReconciled, Result, SingleOrder};
use crate::job::{Limit, LimitName, Timestamp};

/// Remembers limits. That they are kept is the business of every verb that starts or ends jobs.
#[async_trait]
pub trait Limits {
    /// All of them, by name.
    async fn limits(&self) -> Result<Vec<LimitRecord>>;
    /// The keys of a limit that have jobs, those with the most that wait first; so many at most.
    async fn limit_lines(&self, name: &LimitName, most: u32) -> Result<Vec<LimitLine>>;
    /// Adds a limit, or makes the one of this name like it.
    async fn keep_limit(&self, order: &SingleOrder, limit: &Limit, now: Timestamp) -> Result<LimitKept>;
    /// Removes a limit: jobs that waited for its permits wait no more.
    async fn remove_limit(
        &self,
        order: &SingleOrder,
        name: &LimitName,
        now: Timestamp,
    ) -> Result<LimitRemoved>;
    /// Makes the limits of configurations these; those of operators are left alone.
    async fn reconcile_limits(&self, limits: &[Limit], now: Timestamp) -> Result<LimitsReconciled>;
}

//! What a store does about schedules.

use async_trait::async_trait;

use super::{
    DueSchedule, Fired, Reconciled, Result, ScheduleKept, ScheduleRan, ScheduleRemoved, ScheduleSwitched,
    SingleOrder, Switch,
};
use crate::job::{Slug, Timestamp};
use crate::timing::{Schedule, ScheduleRecord};

/// Remembers schedules, and fires them.
#[async_trait]
pub trait Schedules {
    /// All of them, by name.
    async fn schedules(&self) -> Result<Vec<ScheduleRecord>>;

    // Operators.

    /// Adds a schedule, or makes the one of this name like it; the cursor stays unless the timing changed.
    async fn keep_schedule(
        &self,
        order: &SingleOrder,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<ScheduleKept>;
    /// Removes a schedule; its jobs stay.
    async fn remove_schedule(
        &self,
        order: &SingleOrder,
        slug: &Slug,
        now: Timestamp,
    ) -> Result<ScheduleRemoved>;
    /// Takes a schedule into service, its cursor after now, or out of it.
    async fn switch_schedule(
        &self,
        order: &SingleOrder,
        slug: &Slug,
        switch: Switch,
        now: Timestamp,
    ) -> Result<ScheduleSwitched>;
    /// Enqueues a job of the schedule at once, in service or not; its cursor stays where it is.
    async fn run_schedule(&self, order: &SingleOrder, slug: &Slug, now: Timestamp) -> Result<ScheduleRan>;

    // Nodes.

    /// Makes the schedules of configurations like these: others that a configuration made are taken out of service,
    /// those of operators are left alone.
    async fn reconcile_schedules(&self, schedules: &[Schedule], now: Timestamp) -> Result<Reconciled>;
    /// A page of the schedules that are due, those first that have waited longest.
    async fn due_schedules(&self, after: Option<&DueSchedule>, now: Timestamp) -> Result<Vec<DueSchedule>>;
    /// When the next one becomes due that is not due yet.
    async fn next_schedule(&self, now: Timestamp) -> Result<Option<Timestamp>>;
    /// Enqueues the jobs of the buckets that a schedule has come to, and moves its cursor, in one transaction. What
    /// keeps one schedule from being fired is kept with it, and is no error.
    async fn fire(&self, slug: &Slug, now: Timestamp) -> Result<Fired>;
}

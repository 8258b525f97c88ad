//! Schedules: what is enqueued by the clock.

use super::{Client, Result};
use crate::job::{ActionId, Slug};
use crate::store::{ScheduleKept, ScheduleRan, ScheduleRemoved, ScheduleSwitched, SingleOrder, Switch};
use crate::timing::{Schedule, ScheduleRecord};

impl Client {
    /// The schedules, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn schedules(&self) -> Result<Vec<ScheduleRecord>> {
        Ok(self.store.schedules().await?)
    }

    /// Adds a schedule, or makes the one of this name like it. Its cursor stays unless the timing changed, and one that
    /// an operator disabled stays disabled.
    ///
    /// # Errors
    /// [`crate::ClientError::Schedule`] says what of it can't be kept. When the database fails, the order may have been
    /// carried out: to be able to ask again, use [`Client::keep_schedule_as`].
    pub async fn keep_schedule(&self, schedule: &Schedule) -> Result<ScheduleKept> {
        self.keep_schedule_as(ActionId::mint(self.clock.now()), schedule).await
    }

    /// As [`Client::keep_schedule`], under an id that the caller minted. Repeated with the same id, it is the same
    /// order, and answers what was done.
    ///
    /// # Errors
    /// As [`Client::keep_schedule`].
    pub async fn keep_schedule_as(&self, action: ActionId, schedule: &Schedule) -> Result<ScheduleKept> {
        schedule.check()?;
        let order = self.schedule_order(action);
        self.repeated(async || self.store.keep_schedule(&order, schedule, self.clock.now()).await).await
    }

    /// Removes a schedule; its jobs stay.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_schedule(&self, slug: &Slug) -> Result<ScheduleRemoved> {
        let order = self.schedule_order(ActionId::mint(self.clock.now()));
        self.repeated(async || self.store.remove_schedule(&order, slug, self.clock.now()).await).await
    }

    /// Takes a schedule into service, its cursor after now, or out of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn switch_schedule(&self, slug: &Slug, switch: Switch) -> Result<ScheduleSwitched> {
        let order = self.schedule_order(ActionId::mint(self.clock.now()));
        self.repeated(async || self.store.switch_schedule(&order, slug, switch, self.clock.now()).await).await
    }

    /// Enqueues a job of the schedule at once, in service or not.
    ///
    /// # Errors
    /// When the database fails. The job may be there: to be able to ask again, use [`Client::run_schedule_as`].
    pub async fn run_schedule(&self, slug: &Slug) -> Result<ScheduleRan> {
        self.run_schedule_as(ActionId::mint(self.clock.now()), slug).await
    }

    /// As [`Client::run_schedule`], under an id that the caller minted. Repeated with the same id, it is the same job.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn run_schedule_as(&self, action: ActionId, slug: &Slug) -> Result<ScheduleRan> {
        let order = self.schedule_order(action);
        self.repeated(async || self.store.run_schedule(&order, slug, self.clock.now()).await).await
    }

    fn schedule_order(&self, action: ActionId) -> SingleOrder {
        SingleOrder { action, who: self.who.to_string() }
    }
}

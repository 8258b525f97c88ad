//! Limits: how many jobs of a queue or a kind run at once, or start in a time, over all nodes.

use super::{Client, Result};
use crate::job::{ActionId, Limit, LimitName};
use crate::store::{LimitKept, LimitLine, LimitRecord, LimitRemoved, SingleOrder};

impl Client {
    /// The limits, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn limits(&self) -> Result<Vec<LimitRecord>> {
        Ok(self.store.limits().await?)
    }

    /// The keys of a limit that have jobs, those with the most that wait first; `most` of them at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn limit_lines(&self, name: &LimitName, most: u32) -> Result<Vec<LimitLine>> {
        Ok(self.store.limit_lines(name, most).await?)
    }

    /// Sets a limit, or makes the one of this name like it. Jobs that are there are put into its lines from the newest to
    /// the oldest, a thousand at a time: it is exact once all of them are.
    ///
    /// # Errors
    /// [`crate::ClientError::Limit`] says what of it can't be; else when the database fails.
    pub async fn set_limit(&self, limit: &Limit) -> Result<LimitKept> {
        limit.check()?;
        let order = self.limit_order();
        self.repeated(async || self.store.keep_limit(&order, limit, self.clock.now()).await).await
    }

    /// Removes a limit: jobs that waited for its permits wait no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_limit(&self, name: &LimitName) -> Result<LimitRemoved> {
        let order = self.limit_order();
        self.repeated(async || self.store.remove_limit(&order, name, self.clock.now()).await).await
    }

    fn limit_order(&self) -> SingleOrder {
        SingleOrder { action: ActionId::mint(self.clock.now()), who: self.who.to_string() }
    }
}

//! What operators order.

use super::{Client, Result};
use crate::job::{ActionId, JobId};
use crate::store::{CancelAnswer, RetryAnswer};

impl Client {
    /// Cancels jobs: those that wait at once, those that run by their node. Answers in input order.
    ///
    /// # Errors
    /// When the database fails. The order may have been carried out: to be able to ask again, use
    /// [`Client::cancel_as`].
    pub async fn cancel(&self, jobs: &[JobId]) -> Result<Vec<CancelAnswer>> {
        self.cancel_as(ActionId::mint(self.clock.now()), jobs).await
    }

    /// As [`Client::cancel`], under an id that the caller minted. Repeated with the same id, it is the same order, and
    /// answers what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_as(&self, action: ActionId, jobs: &[JobId]) -> Result<Vec<CancelAnswer>> {
        let order = self.order(action);
        self.repeated(|| self.store.cancel(&order, jobs, self.clock.now())).await
    }

    /// Makes jobs available again, with their failures forgotten. Answers in input order.
    ///
    /// # Errors
    /// When the database fails. The order may have been carried out: to be able to ask again, use
    /// [`Client::retry_as`].
    pub async fn retry(&self, jobs: &[JobId]) -> Result<Vec<RetryAnswer>> {
        self.retry_as(ActionId::mint(self.clock.now()), jobs).await
    }

    /// As [`Client::retry`], under an id that the caller minted. Repeated with the same id, it is the same order, and
    /// answers what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_as(&self, action: ActionId, jobs: &[JobId]) -> Result<Vec<RetryAnswer>> {
        let order = self.order(action);
        self.repeated(|| self.store.retry(&order, jobs, self.clock.now())).await
    }
}

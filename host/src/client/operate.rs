//! What operators order: for jobs that they name, and for all jobs of a selection.

use std::collections::BTreeMap;

use super::{Client, ClientError, Result};
use crate::job::{ActionId, Barriers, JobId, JobState, Operation};
use crate::store::{ActionFilter, ActionRecord, Answer, Order, Scope, Selection, Tally};

impl Client {
    /// Cancels jobs: those that wait at once, those that run by their node. Answers in input order.
    ///
    /// # Errors
    /// As [`Client::operate`].
    pub async fn cancel(&self, jobs: &[JobId]) -> Result<Vec<Answer>> {
        self.operate(Operation::Cancel(Barriers::default()), jobs).await
    }

    /// Makes jobs available again, those that ended with their failures forgotten. Answers in input order.
    ///
    /// # Errors
    /// As [`Client::operate`].
    pub async fn retry(&self, jobs: &[JobId]) -> Result<Vec<Answer>> {
        self.operate(Operation::Retry, jobs).await
    }

    /// Carries out an order for jobs. Answers in input order.
    ///
    /// # Errors
    /// When the database fails. The order may have been carried out: to be able to ask again, use
    /// [`Client::operate_as`].
    pub async fn operate(&self, operation: Operation, jobs: &[JobId]) -> Result<Vec<Answer>> {
        self.operate_as(ActionId::mint(self.clock.now()), operation, jobs).await
    }

    /// As [`Client::operate`], under an id that the caller minted. Repeated with the same id, it is the same order, and
    /// answers what was done.
    ///
    /// # Errors
    /// When the database fails, or another order was given under this id.
    pub async fn operate_as(
        &self,
        action: ActionId,
        operation: Operation,
        jobs: &[JobId],
    ) -> Result<Vec<Answer>> {
        let order = self.order(action, operation);
        self.repeated(|| self.store.order(&order, jobs, self.clock.now())).await
    }

    /// Carries out an order for all jobs of a selection, in batches of up to a thousand, from the newest to the oldest.
    /// Jobs that are enqueued meanwhile are not among them.
    ///
    /// # Errors
    /// As [`Client::operate_all_as`].
    pub async fn operate_all(
        &self,
        operation: Operation,
        selection: &Selection,
        scope: Scope,
    ) -> Result<Tally> {
        self.operate_all_as(ActionId::mint(self.clock.now()), operation, selection, scope).await
    }

    /// As [`Client::operate_all`], under an id that the caller minted. Repeated with the same id it is the same order: it
    /// goes on where it was interrupted, does nothing twice, and answers what all of it came to.
    ///
    /// # Errors
    /// [`ClientError::Selection`] before anything is done; [`ClientError::Interrupted`] says what was done when the
    /// database failed.
    pub async fn operate_all_as(
        &self,
        action: ActionId,
        operation: Operation,
        selection: &Selection,
        scope: Scope,
    ) -> Result<Tally> {
        let selection = selection.for_order(operation, scope)?;
        let order = self.order(action, operation);
        let (mut done, mut from) = (Tally::default(), None);
        loop {
            let ask = || self.store.order_next(&order, &selection, from, self.clock.now());
            let step = match self.repeated(ask).await {
                Ok(step) => step,
                Err(ClientError::Store(source)) => {
                    return Err(ClientError::Interrupted { done: Box::new(done), action, source });
                }
                Err(other) => return Err(other),
            };
            done.add(step.tally);
            match step.next {
                Some(next) => from = Some(next),
                None => return Ok(done),
            }
        }
    }

    /// What an order for a selection would find, by state; nothing is changed.
    ///
    /// # Errors
    /// [`ClientError::Selection`] as the order would, or when the database fails.
    pub async fn survey(
        &self,
        operation: Operation,
        selection: &Selection,
        scope: Scope,
    ) -> Result<BTreeMap<JobState, u64>> {
        let selection = selection.for_order(operation, scope)?;
        let (mut states, mut from) = (BTreeMap::new(), None);
        loop {
            let survey = self.store.survey(&selection, from).await?;
            for (state, count) in survey.states {
                *states.entry(state).or_default() += count;
            }
            match survey.next {
                Some(next) => from = Some(next),
                None => return Ok(states),
            }
        }
    }

    /// What operators ordered, the newest first: who, when, what, and how many jobs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn actions(&self, filter: &ActionFilter) -> Result<Vec<ActionRecord>> {
        Ok(self.store.actions(filter).await?)
    }

    fn order(&self, action: ActionId, operation: Operation) -> Order {
        Order { action, who: self.who.to_string(), operation }
    }
}

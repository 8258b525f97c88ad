//! Operators at work in the storm: they cancel jobs wherever those stand, and pause and resume a queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::{ActionId, Barriers, JobId, Operation, Queue};
use flyball::store::{Flag, Flagged};
use flyball::{Client, ClientError};
use flyball_tests::ambient;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::ledger::{Ledger, Pause};
use super::part::SIDE;

const PAUSE: Duration = Duration::from_millis(300);
/// Jobs of one order.
const MOST: usize = 50;

/// Who operates.
pub(crate) struct Operators {
    pub(crate) client: Client,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) seed: u64,
}

impl Operators {
    /// Operates until told to stop; then cancels all that is there to be cancelled, and lets the queue go on.
    pub(crate) async fn work(self, stop: CancellationToken) -> Result<()> {
        let mut dice = Dice::new(self.seed, "operators");
        let mut done = BTreeSet::new();
        let mut paused: Option<ambient::Moment> = None;
        while !stop.is_cancelled() {
            self.cancel(&mut done, Duration::from_millis(dice.millis(500..12_000))).await?;
            if dice.below(10) == 0 {
                paused = self.switch(paused).await?;
            }
            tokio::time::sleep(PAUSE).await;
        }
        if paused.is_some() {
            self.switch(paused).await?;
        }
        self.cancel(&mut done, Duration::ZERO).await
    }

    /// Those that have been there for so long.
    async fn cancel(&self, done: &mut BTreeSet<JobId>, after: Duration) -> Result<()> {
        let all = self.ledger.entries();
        let due = all.iter().filter(|(id, entry)| {
            entry.part.is_cancelled() && entry.entered.elapsed() >= after && !done.contains(id)
        });
        let due: Vec<JobId> = due.map(|(id, _)| *id).collect();
        for some in due.chunks(MOST) {
            let (action, cancel) =
                (ActionId::mint(self.client.clock().now()), Operation::Cancel(Barriers::Drop));
            self.insist(|| self.client.operate_as(action, cancel, some)).await.context("cancel")?;
            done.extend(some);
        }
        Ok(())
    }

    /// Answers since when the queue is paused.
    async fn switch(&self, paused: Option<ambient::Moment>) -> Result<Option<ambient::Moment>> {
        let queue = Flagged::Queue(Queue::new(SIDE)?);
        let asked = ambient::now();
        let flag = if paused.is_some() { Flag::Resume } else { Flag::Pause };
        self.insist(|| self.client.flag(&queue, flag)).await.context("pause or resume a queue")?;
        Ok(match paused {
            Some(from) => {
                self.ledger.paused(Pause { from, to: asked });
                None
            }
            None => Some(ambient::now()),
        })
    }

    /// Asks until the database answers: orders carry an id, and are carried out once.
    async fn insist<T, F>(&self, ask: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(ClientError::Store(error)) => {
                    self.ledger.note(&error);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(other) => return Err(other.into()),
            }
        }
    }
}

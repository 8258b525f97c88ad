//! Jobs come in all the while, so many that every node has enough to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::Client;
use flyball::job::{InsertOpts, JobId, JobState};
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::ledger::Ledger;
use super::part::Part;

/// Jobs of one call.
const BATCH: usize = 200;
/// Of one call that is to fill the disk.
const BULKY: usize = 50;
/// Between two looks, and between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Who enqueues.
pub(crate) struct Stream {
    pub(crate) client: Client,
    pub(crate) ledger: Arc<Ledger>,
    /// As many wait, if the nodes leave so many.
    pub(crate) backlog: u64,
    pub(crate) seed: u64,
}

impl Stream {
    /// Enqueues until it is told to stop; what was begun is then enqueued all the same.
    pub(crate) async fn flow(self, stop: CancellationToken) -> Result<()> {
        let mut dice = Dice::new(self.seed, "jobs");
        while !stop.is_cancelled() {
            if self.ledger.pressing.load(Ordering::Relaxed) {
                self.enqueue(bulk(&self.client, &mut dice)?).await?;
            } else if self.is_wanted().await {
                self.enqueue(batch(&self.client, &mut dice)?).await?;
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    async fn is_wanted(&self) -> bool {
        match self.client.overview().await {
            Ok(overview) => overview.states.get(&JobState::Available).copied().unwrap_or(0) < self.backlog,
            Err(error) => {
                self.ledger.note(&error);
                false
            }
        }
    }

    /// Under the same ids until it is answered: however often it is tried, it is one enqueue.
    async fn enqueue(&self, batch: Vec<(JobId, Part, InsertOpts)>) -> Result<()> {
        let answers = loop {
            let jobs = batch.iter().map(|(id, _, opts)| (*id, opts.clone())).collect();
            match self.client.enqueue_many(jobs).await {
                Ok(answers) => break answers,
                Err(flyball::ClientError::Store(error)) => {
                    self.ledger.note(&error);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(other) => return Err(other).context("enqueue"),
            }
        };
        for ((id, part, _), answer) in batch.into_iter().zip(answers) {
            match answer.id() {
                own if own == id => self.ledger.enter(id, part),
                holder => self.ledger.duplicate(id, holder),
            }
        }
        Ok(())
    }
}

fn batch(client: &Client, dice: &mut Dice) -> Result<Vec<(JobId, Part, InsertOpts)>> {
    let now = client.clock().now();
    (0..BATCH)
        .map(|_| {
            let part = Part::drawn(dice);
            Ok((JobId::mint(now), part, part.opts(dice)?))
        })
        .collect()
}

fn bulk(client: &Client, dice: &mut Dice) -> Result<Vec<(JobId, Part, InsertOpts)>> {
    let now = client.clock().now();
    (0..BULKY).map(|_| Ok((JobId::mint(now), Part::Plain, Part::bulky(dice)?))).collect()
}

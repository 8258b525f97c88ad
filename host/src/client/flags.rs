//! Queues and kinds that are not claimed from, on any node, until an operator says so.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Client, Result};
use crate::job::{ActionId, Queue};
use crate::store::{Flag, FlagSet, Flagged, QueueHealth, SingleOrder};

/// A queue, how it stands, and whether it is claimed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueStatus {
    /// Its name.
    pub queue: Queue,
    /// Its jobs are not claimed.
    pub paused: bool,
    /// Its jobs that have not ended or were given up.
    #[serde(flatten)]
    pub health: QueueHealth,
}

impl Client {
    /// Pauses a queue or a kind for all nodes, or resumes it. Its jobs keep their state: those that run, run on, and none
    /// is claimed until it is resumed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn flag(&self, flagged: &Flagged, flag: Flag) -> Result<FlagSet> {
        let order = SingleOrder { action: ActionId::mint(self.clock.now()), who: self.who.to_string() };
        self.repeated(async || self.store.flag(&order, flagged, flag, self.clock.now()).await).await
    }

    /// The queues that have jobs which have not ended or were given up, and those that are paused, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn queues(&self) -> Result<Vec<QueueStatus>> {
        let paused = self.store.paused_queues().await?;
        let mut queues: BTreeMap<Queue, QueueHealth> = self.health().await?.queues;
        for queue in &paused {
            queues.entry(queue.clone()).or_insert_with(QueueHealth::empty);
        }
        let status = |(queue, health)| QueueStatus { paused: paused.contains(&queue), queue, health };
        Ok(queues.into_iter().map(status).collect())
    }
}

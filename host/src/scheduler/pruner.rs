//! Retention: one node at a time deletes what has been kept for long enough, in small steps with rests between them, so
//! that a backlog of deletions holds up no claim.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Scheduler;
use super::duty::Duty;
use crate::clock::Boot;
use crate::event::Event;
use crate::job::Walk;
use crate::service::ServiceError;
use crate::store::{Database, Doom, FleetPolicy, Place, PruneStep, Pruned, Result};

/// After this, walks begin where the tables do: what was passed over may be free to go.
const AFRESH: Duration = Duration::from_secs(3600);
/// At least so long after each step.
const REST: Duration = Duration::from_millis(5);
/// From one round to the next.
const ROUNDS: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);

/// What is deleted, and where each walk has come to.
struct Rounds {
    walks: Vec<Walk>,
    places: BTreeMap<usize, Place>,
    afresh: Boot,
    /// The disagreement that was told.
    told: Option<String>,
}

/// Whether the fleet wants something else than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heeded {
    AsBefore,
    Anew,
}

impl Scheduler {
    /// The service that deletes.
    pub async fn retain(self, token: CancellationToken) -> Result<(), ServiceError> {
        let mut rounds = Rounds {
            walks: self.config.retention.walks(),
            places: BTreeMap::new(),
            afresh: self.clock.boot().after(AFRESH),
            told: None,
        };
        let mut duty = Duty::new("retention", &self);
        loop {
            let wait = if duty.is_mine().await {
                let round = token.run_until_cancelled(self.round(&mut rounds, &mut duty)).await;
                if let Some(Err(error)) = round {
                    tracing::warn!(%error, "what has been kept for long enough was not deleted");
                }
                pause(&rounds.walks)
            } else {
                duty.asks_in()
            };
            if token.run_until_cancelled(self.clock.sleep(wait)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Every walk to its end, as long as it is this node's turn.
    async fn round(&self, rounds: &mut Rounds, duty: &mut Duty) -> Result<()> {
        if self.clock.boot() >= rounds.afresh {
            rounds.afresh = self.clock.boot().after(AFRESH);
            rounds.places.clear();
        }
        self.heed_fleet(rounds).await?;
        for (nth, walk) in rounds.walks.clone().into_iter().enumerate() {
            while duty.is_mine().await {
                if self.heed_fleet(rounds).await? == Heeded::Anew {
                    return Ok(());
                }
                let behind = rounds.places.get(&nth).copied();
                let step =
                    PruneStep { limit: self.step(), behind, ..PruneStep::of(walk.clone(), Doom::Delete) };
                let begun = self.clock.boot();
                let pruned = self.store.prune(&step, self.clock.now()).await?;
                self.tell_pruned(&pruned);
                let Some(next) = pruned.next else { break };
                rounds.places.insert(nth, next);
                // As long a rest as the step took: others have half of the database at least.
                self.clock.sleep(self.clock.boot().since(begun).max(REST)).await;
            }
        }
        Ok(())
    }

    /// What any node of the fleet keeps is kept. Asked before every step: of a node that enters all but a step is heeded.
    async fn heed_fleet(&self, rounds: &mut Rounds) -> Result<Heeded> {
        let fleet = FleetPolicy::of(&self.config.retention, &self.store.policies(self.clock.now()).await?);
        if let Some(nodes) = &fleet.disagreement
            && fleet.disagreement != rounds.told
        {
            tracing::warn!(
                nodes,
                "not all nodes keep what has ended for the same times, and the longest counts: give all of them the \
                 same [retention]"
            );
        }
        rounds.told = fleet.disagreement;
        let walks = fleet.policy.walks();
        if walks == rounds.walks {
            return Ok(Heeded::AsBefore);
        }
        rounds.walks = walks;
        rounds.places.clear();
        Ok(Heeded::Anew)
    }

    /// Rows of a step. SQLite has one writer, who is not to be kept for long.
    fn step(&self) -> u32 {
        match self.store.database() {
            Database::Sqlite => 250,
            Database::Postgres => 1000,
        }
    }

    fn tell_pruned(&self, pruned: &Pruned) {
        for (kind, queue, count) in &pruned.by_queue {
            let (kind, queue) = (kind.clone(), queue.clone());
            self.events.emit(&Event::JobsPruned { kind, queue, count: *count });
        }
    }
}

/// A twentieth of the shortest time that anything is kept.
fn pause(walks: &[Walk]) -> Duration {
    let shortest = walks.iter().map(|walk| walk.keep).min();
    shortest.map_or(*ROUNDS.end(), |keep| (keep / 20).clamp(*ROUNDS.start(), *ROUNDS.end()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::RetentionPolicy;

    #[test]
    fn rounds_are_as_frequent_as_what_is_kept_shortest_needs() {
        let pause = |seconds| pause(&RetentionPolicy::older_than(Duration::from_secs(seconds)).walks());
        assert_eq!([1, 60, 600, 86400].map(|keep| pause(keep).as_secs()), [1, 3, 30, 60]);
        assert_eq!(super::pause(&[]), *ROUNDS.end());
    }
}

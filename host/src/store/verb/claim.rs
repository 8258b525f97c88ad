//! Claiming: a node takes jobs, each under a run id that it minted.

use crate::job::{Settlement, Timestamp};
use crate::store::claimed::Ask;
use crate::store::dialect::Dialect;
use crate::store::fault::Blame;
use crate::store::records::{self, Taken, readable};
use crate::store::sql_store::SqlStore;
use crate::store::{ClaimRequest, Claimed, Result, StoreError};

const DOING: &str = "claiming jobs";
/// How often a claim is made anew that met another one.
const ROUNDS: usize = 3;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn claim_jobs(
        &self,
        request: &ClaimRequest,
        now: Timestamp,
    ) -> Result<Claimed> {
        let mut ask = Ask::new(request, now);
        let mut claimed = Claimed::default();
        let mut unreadable = Vec::new();
        for round in 1..=ROUNDS {
            let taken = match self.db.claim(&ask).await {
                Ok(taken) => taken,
                // An earlier try with these ids, whose answer was lost, was still under way; or a deadlock.
                Err(fault) if round < ROUNDS && (fault.is_duplicate() || fault.blame() == Blame::Race) => {
                    continue;
                }
                Err(fault) => return Err(fault.told(DOING)),
            };
            if !taken.alive {
                return Err(StoreError::NodeLost);
            }
            (claimed.last_chances, claimed.more) = (taken.last_chances, taken.contended || taken.cut);
            for taken in taken.rows.into_iter().filter_map(|row| readable(records::claim(row))).flatten() {
                match taken {
                    Taken::Claim(claim) => {
                        ask.less(&claim);
                        claimed.claims.push(claim);
                    }
                    Taken::Unreadable(settlement) => {
                        ask.used(settlement.run);
                        unreadable.push(settlement);
                    }
                }
            }
            // Another node was taking the same jobs: what comes after them is there for the ids that are left.
            if !taken.contended || taken.cut || ask.runs.is_empty() {
                break;
            }
        }
        self.settle_unreadable(&unreadable, now).await;
        claimed.claims.sort_unstable_by_key(|claim| (claim.priority, claim.scheduled_at, claim.job));
        Ok(claimed)
    }

    /// What was claimed and can't be read, is kept as failed: else it would be claimed, and be in the way, for ever.
    async fn settle_unreadable(&self, unreadable: &[Settlement], now: Timestamp) {
        for Settlement { job, run, end, .. } in unreadable {
            let why = end.error_message.as_deref();
            tracing::warn!(%job, %run, why, "a job can't be read, and is kept as failed");
        }
        if !unreadable.is_empty()
            && let Err(error) = self.finalize_batch(unreadable, now).await
        {
            // The node does not know of them: its next renewal gives them back, and the next claim tries again.
            tracing::warn!(%error, "jobs that can't be read could not be settled");
        }
    }
}

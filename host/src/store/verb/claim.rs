//! Claiming: a node takes jobs, each under a run id that it minted.

use crate::job::{Claim, Timestamp};
use crate::store::claimed::Ask;
use crate::store::dialect::Dialect;
use crate::store::fault::Blame;
use crate::store::sql_store::SqlStore;
use crate::store::{ClaimRequest, Claimed, Result, StoreError, records};

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
        let mut claims: Vec<Claim> = Vec::new();
        let mut last_chances = false;
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
            last_chances = taken.last_chances;
            let rows = taken.rows.into_iter().filter_map(|row| records::claim(row).transpose());
            let round = rows.collect::<Result<Vec<_>>>()?;
            ask.less(&round);
            claims.extend(round);
            // Another node was taking the same jobs: what comes after them is there for the ids that are left.
            if !taken.contended || ask.runs.is_empty() {
                break;
            }
        }
        claims.sort_unstable_by_key(|claim| (claim.priority, claim.scheduled_at, claim.job));
        Ok(Claimed { claims, last_chances })
    }
}

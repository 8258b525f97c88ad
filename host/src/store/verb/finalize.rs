//! Finalizing: what owners of attempts hand in is made durable, fenced by their tokens, in batches.
//!
//! A batch that is refused for what may be one item's fault is split until that item stands alone, which is then kept
//! as a failed attempt. Everything else is the infrastructure's, and the caller's to repeat.

use std::collections::HashMap;
use std::ops::Range;

use crate::job::{JobState, Meter, Outcome, RunEnd, RunId, SettledBy, Settlement, Timestamp};
use crate::store::batch::{MAX_BYTES, cuts, join};
use crate::store::dialect::{Dialect, Outcome as Done, Settling};
use crate::store::fault::{Blame, Fault};
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::{Database, Inserted, Result, Settled, StoreError};

use super::follow_ups::{self, FEW, Wanted};
use super::settling::{self, Moved};
use super::turn::Turned;

pub(super) const DOING: &str = "storing outcomes";
/// Settlements of one statement at most.
const MOST: usize = 500;
/// How often a batch is repeated that lost a race.
const ROUNDS: usize = 3;

/// What a batch came to, by run.
pub(super) type Answers = HashMap<RunId, Settled>;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn finalize_batch(
        &self,
        batch: &[Settlement],
        now: Timestamp,
    ) -> Result<Vec<Settled>> {
        let mut order: Vec<&Settlement> = batch.iter().collect();
        // What asks for nothing does not wait for what asks for many jobs.
        order.sort_by_key(|settlement| settlement.follow_ups.len());
        let items: Vec<String> = order.iter().map(|s| settling::settlement(D::WIRE, s)).collect();
        let mut answers = Answers::with_capacity(batch.len());
        let mut ranges = parts(&order, &items);
        while let Some(range) = ranges.pop() {
            let part = &order[range.clone()];
            match self.settle_part(part, &items[range.clone()], now).await {
                Ok(part) => answers.extend(part),
                Err(fault) if fault.blame() != Blame::Item => return Err(fault.told(DOING)),
                Err(fault) => match part {
                    &[alone] => {
                        let settled = self.settle_unstorable(alone, fault.told(DOING), now).await?;
                        answers.insert(alone.run, settled);
                    }
                    _ => {
                        let middle = range.start + range.len() / 2;
                        ranges.extend([middle..range.end, range.start..middle]);
                    }
                },
            }
        }
        Ok(batch.iter().map(|s| answers.remove(&s.run).unwrap_or(Settled::Superseded)).collect())
    }

    /// Settles a part of a batch, or fails as a whole.
    async fn settle_part(&self, part: &[&Settlement], items: &[String], now: Timestamp) -> Done<Answers> {
        let mut round = 1;
        let mut moved = loop {
            match self.move_on(part, items, now).await {
                Ok(moved) => break moved,
                Err(fault) if fault.blame() == Blame::Race && round < ROUNDS => round += 1,
                Err(fault) => return Err(fault),
            }
        };
        self.ring_for(part.iter().filter_map(|settlement| match moved.get(&settlement.run) {
            Some(Settled::Advanced { state, .. }) => Some((*state, settlement.transition.due())),
            Some(Settled::Superseded) | None => None,
        }));
        let stale: Vec<&Settlement> = part.iter().copied().filter(|s| !moved.contains_key(&s.run)).collect();
        if !stale.is_empty() {
            moved.extend(self.settle_stale(&stale, now).await?);
        }
        Ok(moved)
    }

    /// The one statement that moves jobs on; where something comes with it or follows, that goes with it in a transaction.
    async fn move_on(&self, part: &[&Settlement], items: &[String], now: Timestamp) -> Done<Answers> {
        if part.iter().all(|settlement| settlement.stands_alone()) {
            let settling = Settling { batch: join(items).into(), by: SettledBy::Owner, now };
            return self.settle_alone(settling).await;
        }
        let wanted = Wanted::new(D::WIRE, part, items, self.max_descendants);
        self.move_on_with_follow_ups(wanted, now).await
    }

    async fn settle_alone(&self, settling: Settling) -> Done<Answers> {
        let (db, now, turnstile) = (self.db.clone(), settling.now, self.turnstile(settling.now));
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                let rows = db.settle(s, &settling).await?;
                let moved = rows.into_iter().map(|row| Ok(Moved::read(row)?)).collect::<Done<Vec<_>>>()?;
                // Where this is a transaction, they are looked at in it.
                let turned = match D::DATABASE {
                    Database::Sqlite => turnstile.turn(s).await?,
                    Database::Postgres => Turned::default(),
                };
                Ok((moved, turned, std::mem::take(s.turns())))
            })
        });
        let (moved, turned, turns) = work.await?;
        self.ring_for_turned(turned);
        // A limit that their claims knew nothing of has put them into lines.
        if let Err(fault) = self.turn_apart(turns, now).await {
            tracing::warn!(error = %fault.told(DOING), "attempts were settled, and a promoter looks at their lines");
        }
        Ok(moved.into_iter().map(|moved| advanced(moved, Vec::new())).collect())
    }

    /// Attempts that no longer hold their lease: those that their owner settled before, and those that came too late.
    async fn settle_stale(&self, stale: &[&Settlement], now: Timestamp) -> Done<Answers> {
        let batch = join(stale.iter().map(|s| settling::late(D::WIRE, s)));
        let (note, read) = (self.db.statements().late_note, self.db.statements().late_read);
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                s.run(note, vec![batch.clone().into(), now.into()]).await?;
                s.run(read, vec![batch.into()]).await
            })
        });
        let mut answers = Answers::new();
        for mut row in work.await? {
            let run: RunId = row.id("run")?;
            let Some(settlement) = stale.iter().find(|s| s.run == run) else { continue };
            // A word that this binary does not know is not the word of its own settling.
            let by_owner = row.opt_text("settled_by")?.as_deref() == Some(SettledBy::Owner.as_str());
            let Some(outcome) = readable(row.word::<Outcome>("outcome")) else { continue };
            let (state, latest) = (readable(row.word::<JobState>("state")), row.flag("latest")?);
            if by_owner && outcome != Outcome::Started {
                // An earlier try of this very batch. Where the job went then is still where it is, or was cancelled
                // instead; if it has moved on since, it went where it was to go.
                let ended = state.filter(|state| state.is_terminal() && latest);
                let state = ended.unwrap_or(settlement.transition.state());
                let follow_ups = if outcome == Outcome::Success {
                    self.find_follow_ups(settlement).await?
                } else {
                    // Those of an attempt that was kept as failed were dropped.
                    Vec::new()
                };
                answers.insert(run, Settled::Advanced { state, outcome, follow_ups });
            }
        }
        Ok(answers)
    }

    /// One whose outcome the database can't keep as it is: kept as a failed attempt that says why.
    async fn settle_unstorable(
        &self,
        settlement: &Settlement,
        why: StoreError,
        now: Timestamp,
    ) -> Result<Settled> {
        let run = settlement.run;
        let why = format!("the outcome could not be stored: {why}");
        tracing::warn!(%run, job = %settlement.job, why, "an outcome is kept as a failed attempt");
        let failed = settlement.clone().unstorable(&why);
        // If what was measured can't be kept either, the failure alone is.
        let bare =
            RunEnd { component_digest: None, meter: Meter::default(), cost_micros: 0, ..failed.end.clone() };
        let bare = Settlement { end: bare, ..failed.clone() };
        let mut last = None;
        for attempt in [failed, bare] {
            let item = settling::settlement(D::WIRE, &attempt);
            match self.settle_part(&[&attempt], &[item], now).await {
                Ok(mut answers) => return Ok(answers.remove(&run).unwrap_or(Settled::Superseded)),
                Err(fault) if fault.blame() == Blame::Item => last = Some(fault),
                Err(fault) => return Err(fault.told(DOING)),
            }
        }
        Err(last.unwrap_or(Fault::Database(sqlx::Error::RowNotFound)).told(DOING))
    }
}

/// Where to cut a batch, the last part first: no part holds rows for long, or a connection, but for a single attempt that
/// asks for much.
fn parts(batch: &[&Settlement], items: &[String]) -> Vec<Range<usize>> {
    let weights = batch.iter().zip(items).map(|(settlement, item)| {
        let [jobs, bytes] = follow_ups::weight(settlement);
        [1, item.len() + 1, jobs, bytes]
    });
    cuts(weights, [MOST, MAX_BYTES, FEW.items, FEW.bytes]).into_iter().rev().collect()
}

pub(super) fn advanced(moved: Moved, follow_ups: Vec<Inserted>) -> (RunId, Settled) {
    let Moved { run, state, outcome } = moved;
    (run, Settled::Advanced { state, outcome, follow_ups })
}

//! The sweep: dead nodes are marked lost and what they ran is taken back; attempts that a wedged node does not end are
//! ended. On SQLite there is nothing to sweep: the start of the next node does it.

use std::sync::Arc;

use crate::job::{
    Backoff, Claim, ErrorClass, Evidence, ExecutorClass, Failure, Json, Lineage, NodeId, Overrides,
    RetryPolicy, SettledBy, Timestamp, Verdict,
};
use crate::store::dialect::{Dialect, Outcome as Done, Session, SweepTexts};
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::value::Row;
use crate::store::{KindDefaults, Reclaimed, Result, StoreError, Sweep, Swept};

use super::back::Back;
use super::node::{MOST, reclaim};
use super::settling::{Found, Hand, settle_found};

const DOING: &str = "sweeping";

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn sweep_nodes(&self, sweep: &Sweep, now: Timestamp) -> Result<Swept> {
        let Some(texts) = self.db.sweep_texts() else { return Ok(Swept::default()) };
        self.check_time(now).await?;
        if !self.may_sweep(texts, sweep, now).await? {
            return Ok(Swept::default());
        }
        let mut swept = Swept::default();
        for node in self.dead_nodes(texts, now).await? {
            match self.bury(texts, node, sweep, now).await {
                Ok(None) => {}
                Ok(Some(back)) => {
                    swept.lost_nodes.push(node);
                    self.add(&mut swept, Ok(back));
                }
                Err(error) => swept.errors.push(error),
            }
        }
        self.add(&mut swept, self.adopt(sweep, now).await);
        self.add(&mut swept, self.end_overdue(texts, sweep, now).await);
        Ok(swept)
    }

    /// One part of a sweep is done, or has failed: the others go on.
    fn add(&self, swept: &mut Swept, back: Result<Back>) {
        match back {
            Ok(back) => swept.reclaimed.extend(self.rung(back)),
            Err(error) => swept.errors.push(error),
        }
    }

    /// Whoever was itself away, or whose clock was stepped, knows nothing about others.
    async fn may_sweep(&self, texts: &SweepTexts, sweep: &Sweep, now: Timestamp) -> Result<bool> {
        let values = vec![
            sweep.node.into(),
            now.into(),
            now.before(sweep.lease).into(),
            now.before(sweep.lease / 2).into(),
        ];
        let rows = self.db.read(texts.sweep_ready, values).await.map_err(|fault| fault.told(DOING))?;
        let mut row = rows.into_iter().next().ok_or(StoreError::NodeLost)?;
        row.flag("ready")
    }

    async fn dead_nodes(&self, texts: &SweepTexts, now: Timestamp) -> Result<Vec<NodeId>> {
        let (cut, dead) = (texts.sweep_cut, texts.sweep_dead);
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                s.run(cut, vec![now.into()]).await?;
                s.run(dead, vec![now.into()]).await
            })
        });
        let rows = work.await.map_err(|fault| fault.told(DOING))?;
        rows.into_iter().map(|mut row| row.id("id")).collect()
    }

    /// One dead node, in a transaction of its own: marked, and then, in a new statement that sees every claim that
    /// committed before the mark, all that it ran taken back. `None` if somebody holds its row; a job whose row somebody
    /// holds is left to be adopted by the next sweep.
    async fn bury(
        &self,
        texts: &SweepTexts,
        node: NodeId,
        sweep: &Sweep,
        now: Timestamp,
    ) -> Result<Option<Back>> {
        let (db, mark, losses) = (Arc::clone(&self.db), texts.sweep_mark, sweep.losses);
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                if s.run(mark, vec![node.into(), now.into()]).await?.is_empty() {
                    return Ok(None);
                }
                let hand = Hand { by: SettledBy::Sweep, now };
                let running = db.statements().running_free;
                reclaim(&*db, s, running, vec![node.into()], &losses, hand).await.map(Some)
            })
        });
        work.await.map_err(|fault| fault.told(DOING))
    }

    /// What is running for nodes that were lost before, or have no row.
    async fn adopt(&self, sweep: &Sweep, now: Timestamp) -> Result<Back> {
        let (db, losses) = (Arc::clone(&self.db), sweep.losses);
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                let hand = Hand { by: SettledBy::Sweep, now };
                reclaim(&*db, s, db.statements().orphans, Vec::new(), &losses, hand).await
            })
        });
        work.await.map_err(|fault| fault.told(DOING))
    }

    async fn end_overdue(&self, texts: &SweepTexts, sweep: &Sweep, now: Timestamp) -> Result<Back> {
        let (db, find, passed) =
            (Arc::clone(&self.db), texts.sweep_overdue, now.before(sweep.deadline_grace));
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                let rows = s.run(find, vec![passed.into(), MOST.into()]).await?;
                let mut decided = Vec::with_capacity(rows.len());
                for mut row in rows {
                    decided.extend(readable(overdue(&mut row, D::WIRE, now)));
                }
                end(&*db, s, decided, now).await
            })
        });
        work.await.map_err(|fault| fault.told(DOING))
    }
}

async fn end<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    decided: Vec<(Reclaimed, String)>,
    now: Timestamp,
) -> Done<Back> {
    let hand = Hand { by: SettledBy::Sweep, now };
    let moved = settle_found(db, session, decided, hand).await?;
    Back::followed(db, session, moved, hand).await
}

/// A missed deadline is a time-out like any other, decided by what the job asks for, else by what its kind published.
fn overdue(row: &mut Row, wire: crate::store::batch::Wire, now: Timestamp) -> Result<(Reclaimed, String)> {
    let max_attempts = row.opt_int("max_attempts")?;
    let backoff = row.backoff()?;
    let published: Option<KindDefaults> =
        row.opt_text("defaults")?.and_then(|text| serde_json::from_str(&text).ok());
    let policy = policy(max_attempts, backoff, published);
    let job = Found::read(row)?;
    let failure = Failure::new(
        ErrorClass::Timeout,
        "the deadline passed and the node did not end the attempt; the store did",
    );
    let settlement = claim_of(&job, now).settle(Verdict::Failed(failure), Evidence::default(), &policy, now);
    Ok(job.overdue(&settlement, wire))
}

fn policy(
    max_attempts: Option<u32>,
    backoff: Option<Backoff>,
    published: Option<KindDefaults>,
) -> RetryPolicy {
    let host = RetryPolicy::default();
    RetryPolicy {
        max_attempts: max_attempts.or(published.map(|p| p.max_attempts)).unwrap_or(host.max_attempts),
        backoff: backoff.or(published.map(|p| p.backoff)).unwrap_or(host.backoff),
        ..host
    }
}

/// The claim that the wedged node has; nothing is decided by what is left empty here.
fn claim_of(job: &Found, now: Timestamp) -> Claim {
    Claim {
        run: job.told.run,
        job: job.told.job,
        kind: job.told.kind.clone(),
        queue: job.told.queue.clone(),
        executor_class: ExecutorClass::default(),
        args: Json::empty_object(),
        priority: 0,
        tries: job.tries,
        last_chance: job.last_chance,
        on_discard: false,
        limited: false,
        checkpoint: false,
        overrides: Overrides::default(),
        lineage: Lineage::default(),
        created_at: now,
        scheduled_at: now,
        deadline_at: now,
        tags: Vec::new(),
        metadata: Json::empty_object(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_missed_deadline_is_decided_by_the_job_then_its_kind_then_the_host() {
        let backoff = Backoff { base: Duration::from_secs(7), cap: Duration::from_secs(70) };
        let published = KindDefaults { max_attempts: 4, timeout_ms: 1, fuel: 1, memory_bytes: 1, backoff };
        assert_eq!(policy(Some(2), None, Some(published)).max_attempts, 2);
        assert_eq!(policy(None, None, Some(published)).max_attempts, 4);
        assert_eq!(policy(None, None, Some(published)).backoff, backoff);
        assert_eq!(policy(None, None, None), RetryPolicy::default());
    }
}

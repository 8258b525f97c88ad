//! The renewal of a node's lease: one row, and what node and database believe of each other.
//!
//! Once the row is renewed, the renewal is: whatever fails after that is told as a comparison that is missing, and the
//! next renewal makes it. A node that stopped for it would stop while the database says that it lives.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::job::{NodeId, RunId, SettledBy, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::fault::Fault;
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::value::Value;
use crate::store::{Comparison, Notes, Reclaimed, Renewal, Renewed, Result, StoreError};

use super::back::Back;
use super::settling::{Found, Hand, settle_found};

const DOING: &str = "renewing the lease";
/// More than any node runs.
const EVERYTHING: u32 = 1_000_000;

/// How far a renewal has come; it outlives a connection that is lost on the way.
#[derive(Clone, Default)]
struct Progress(Arc<Mutex<Option<Renewed>>>);

impl Progress {
    fn reached(&self, renewed: Renewed) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(renewed);
    }

    fn take(&self) -> Option<Renewed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn renew_lease(&self, renewal: &Renewal, now: Timestamp) -> Result<Renewed> {
        let node = renewal.node;
        let (db, renewal, test) = (Arc::clone(&self.db), renewal.clone(), self.test_time(now));
        let progress = Progress::default();
        let reached = progress.clone();
        let work = self.db.lease(move |s| {
            Box::pin(async move {
                let database_time = renew_node(&*db, s, &renewal, test).await?;
                reached.reached(Renewed { database_time, notes: Notes::Missing });
                let (comparison, unknown) = compare(&*db, s, &renewal).await?;
                let notes = Notes::Compared(comparison);
                reached.reached(Renewed { database_time, notes });
                Ok((unknown, database_time))
            })
        });
        let done = match work.await {
            Ok((unknown, database_time)) => self.release_unknown(node, unknown, database_time).await,
            Err(fault) => Err(fault),
        };
        match (progress.take(), done) {
            (Some(renewed), Ok(back)) => Ok(renewed.and_released(&self.rung(back))),
            (Some(renewed), Err(fault)) => {
                let error = fault.told("comparing what the node holds");
                tracing::warn!(%error, "the lease is renewed; what the node holds is compared next time");
                Ok(renewed)
            }
            (None, done) => Err(done.err().unwrap_or(Fault::Verb(StoreError::NodeLost)).told(DOING)),
        }
    }
}

impl<D: Dialect> SqlStore<D> {
    /// Gives back what the node does not know of. A cancel may end some of it, so this is a transaction of its own.
    async fn release_unknown(&self, node: NodeId, unknown: HashSet<RunId>, now: Timestamp) -> Done<Back> {
        if unknown.is_empty() {
            return Ok(Back::default());
        }
        let db = Arc::clone(&self.db);
        self.db
            .lease_transact(move |s| Box::pin(async move { release(&*db, s, node, &unknown, now).await }))
            .await
    }
}

impl Renewed {
    fn and_released(mut self, released: &[Reclaimed]) -> Self {
        if let Notes::Compared(comparison) = &mut self.notes {
            comparison.released = released.iter().map(|told| told.job).collect();
        }
        self
    }
}

/// Renews the row, and the deadlines where the node could not be to blame for missing them; answers the database's
/// time.
async fn renew_node<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    renewal: &Renewal,
    test: Option<Timestamp>,
) -> Done<Timestamp> {
    let values: Vec<Value> = vec![
        renewal.node.into(),
        test.into(),
        i64::try_from(renewal.lease.as_millis()).unwrap_or(i64::MAX).into(),
        renewal.in_flight.into(),
        i64::try_from(renewal.elapsed.as_micros()).unwrap_or(i64::MAX).into(),
        renewal.unwritten.as_slice().into(),
    ];
    let rows = session.run(db.statements().node_renew, values).await?;
    let mut row = rows.into_iter().next().ok_or(StoreError::NodeLost)?;
    Ok(row.time("database_time")?)
}

/// The answers of a comparison; the last, what the node does not know of, is still to be released.
async fn compare<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    renewal: &Renewal,
) -> Done<(Comparison, HashSet<RunId>)> {
    let (held, pending) = (renewal.held.as_slice(), renewal.pending.as_slice());
    let values = vec![renewal.node.into(), held.into(), pending.into(), renewal.watermark.into()];
    let (mut comparison, mut unknown) = (Comparison::default(), HashSet::new());
    for mut row in session.run(db.statements().renew_compare, values).await? {
        let Some(run) = readable(row.id("run")) else { continue };
        match row.text("what")?.as_str() {
            "lost" => comparison.lost.push(run),
            "cancel" => comparison.cancels.push(run),
            _ => {
                unknown.insert(run);
            }
        }
    }
    Ok((comparison, unknown))
}

/// Gives back what the node does not know of, but for jobs that somebody holds: they are there at the next renewal.
async fn release<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    node: NodeId,
    unknown: &HashSet<RunId>,
    now: Timestamp,
) -> Done<Back> {
    let mut decided = Vec::new();
    for mut row in session.run(db.statements().running_free, vec![node.into(), EVERYTHING.into()]).await? {
        let Some(job) = readable(Found::read(&mut row)) else { continue };
        if unknown.contains(&job.told.run) {
            decided.push(job.released(D::WIRE, "released: its node did not know of it"));
        }
    }
    let hand = Hand { by: SettledBy::Renewal, now };
    let released = settle_found(db, session, decided, hand).await?;
    Back::followed(db, session, released, hand).await
}

//! The renewal of a node's lease: one row, and what node and database believe of each other.

use std::collections::HashSet;
use std::sync::Arc;

use crate::job::{NodeId, RunId, SettledBy, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::sql_store::{SqlStore, waits};
use crate::store::value::Value;
use crate::store::{Reclaimed, Renewal, Renewed, Result, StoreError};

use super::settling::{Found, Hand, settle_found};

/// More than any node runs.
const EVERYTHING: u32 = 1_000_000;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn renew_lease(&self, renewal: &Renewal, now: Timestamp) -> Result<Renewed> {
        let (db, renewal, test) = (Arc::clone(&self.db), renewal.clone(), self.test_time(now));
        let work = self.db.lease(move |s| {
            Box::pin(async move {
                let database_time = renew_node(&*db, s, &renewal, test).await?;
                let (renewed, unknown) = compare(&*db, s, &renewal).await?;
                let released = release(&*db, s, renewal.node, &unknown, database_time).await?;
                Ok((Renewed { database_time, ..renewed }, released))
            })
        });
        let (renewed, released) = work.await.map_err(|fault| fault.told("renewing the lease"))?;
        self.ring_for(released.iter().map(waits));
        Ok(Renewed { released: released.into_iter().map(|told| told.job).collect(), ..renewed })
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
    ];
    let rows = session.run(db.statements().node_renew, values).await?;
    let mut row = rows.into_iter().next().ok_or(StoreError::NodeLost)?;
    let database_time = row.time("database_time")?;
    let (unsteady, step) = (row.flag("unsteady")?, row.int::<i64>("step_us")?);
    if unsteady || !renewal.unwritten.is_empty() {
        let step = if unsteady { step } else { 0 };
        let unwritten = renewal.unwritten.as_slice();
        let values =
            vec![renewal.node.into(), database_time.into(), step.into(), unsteady.into(), unwritten.into()];
        db.extend_deadlines(session, values).await?;
    }
    Ok(database_time)
}

/// The renewal's three answers; the last, what the node does not know of, is still to be released.
async fn compare<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    renewal: &Renewal,
) -> Done<(Renewed, HashSet<RunId>)> {
    let (held, pending) = (renewal.held.as_slice(), renewal.pending.as_slice());
    let values = vec![renewal.node.into(), held.into(), pending.into(), renewal.watermark.into()];
    let (mut renewed, mut unknown) = (Renewed::default(), HashSet::new());
    for mut row in session.run(db.statements().renew_compare, values).await? {
        let run = row.id("run")?;
        match row.text("what")?.as_str() {
            "lost" => renewed.lost.push(run),
            "cancel" => renewed.cancels.push(run),
            _ => {
                unknown.insert(run);
            }
        }
    }
    Ok((renewed, unknown))
}

async fn release<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    node: NodeId,
    unknown: &HashSet<RunId>,
    now: Timestamp,
) -> Done<Vec<Reclaimed>> {
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let mut decided = Vec::new();
    for mut row in session.run(db.statements().running, vec![node.into(), EVERYTHING.into()]).await? {
        let job = Found::read(&mut row)?;
        if unknown.contains(&job.told.run) {
            decided.push(job.released(D::WIRE, "released: its node did not know of it"));
        }
    }
    settle_found(db, session, decided, Hand { by: SettledBy::Renewal, now }).await
}

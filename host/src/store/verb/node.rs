//! Nodes enter, publish what they serve, and leave; activities that one at a time carries out.

use std::sync::Arc;
use std::time::Duration;

use crate::job::{Loss, LossPolicy, NodeId, RunId, SettledBy, Timestamp};
use crate::store::batch::{Wire, join};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::policy;
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::value::{Row, Value};
use crate::store::{Activity, Database, NewNode, NodePolicy, PublishedKind, Registered, Result, StoreError};

use super::back::Back;
use super::settling::{Found, Hand, settle_found};

/// So long has a node its say after it was lost: it may be on its way back, with what it keeps unseen.
const SAY: Duration = Duration::from_secs(24 * 3600);
/// Running jobs that are settled by one statement at most.
pub(super) const MOST: u32 = 500;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn register_node(
        &self,
        node: &NewNode,
        losses: &LossPolicy,
        now: Timestamp,
    ) -> Result<Registered> {
        self.db.may_serve()?;
        let values = vec![
            node.id.into(),
            node.name.as_str().into(),
            node.pid.into(),
            node.version.as_str().into(),
            node.concurrency.into(),
            node.serves.as_str().into(),
            i64::try_from(node.lease.as_millis()).unwrap_or(i64::MAX).into(),
            self.test_time(now).into(),
            node.retention.as_ref().map(policy::write).into(),
        ];
        let (db, id, losses) = (Arc::clone(&self.db), node.id, *losses);
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                let statements = db.statements();
                s.run(statements.node_register, values).await?;
                if s.run(statements.node_alive, vec![id.into()]).await?.is_empty() {
                    return Err(StoreError::NodeLost.into());
                }
                match D::DATABASE {
                    Database::Sqlite => reclaim_at_start(&*db, s, id, &losses, now).await,
                    // The sweep takes what dead nodes left: here others may be alive.
                    Database::Postgres => Ok(Back::default()),
                }
            })
        });
        let back = work.await.map_err(|fault| fault.told("entering the node"))?;
        let reclaimed = self.rung(back);
        Ok(Registered { reclaimed, database_time: Some(self.lease_time(now).await?) })
    }

    pub(in crate::store) async fn publish_kinds(
        &self,
        node: NodeId,
        kinds: &[PublishedKind],
        now: Timestamp,
    ) -> Result<()> {
        let digests: serde_json::Map<String, serde_json::Value> =
            kinds.iter().map(|kind| (kind.kind.to_string(), kind.digest.clone().into())).collect();
        let digests = serde_json::Value::Object(digests).to_string();
        let batch = join(kinds.iter().map(|kind| published(D::WIRE, kind)));
        let (node_text, kinds_text) = (self.db.statements().publish_node, self.db.statements().publish_kinds);
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                s.run(node_text, vec![node.into(), digests.into()]).await?;
                s.run(kinds_text, vec![batch.into(), now.into()]).await.map(drop)
            })
        });
        work.await.map_err(|fault| fault.told("publishing kinds"))
    }

    pub(in crate::store) async fn read_policies(&self, now: Timestamp) -> Result<Vec<NodePolicy>> {
        let values = vec![now.before(SAY).into()];
        let rows = self.db.read(self.db.statements().policies, values).await;
        let rows = rows.map_err(|fault| fault.told("reading how long the nodes keep things"))?;
        let policy = |mut row: Row| {
            Ok(NodePolicy {
                node: row.id("id")?,
                name: row.text("name")?,
                policy: policy::read(&row.json("retention")?)?,
            })
        };
        rows.into_iter().map(policy).collect()
    }

    pub(in crate::store) async fn leave_node(&self, node: NodeId, now: Timestamp) -> Result<()> {
        let statements = self.db.statements();
        // What somebody holds is waited for when all else is done.
        for find in [statements.running_free, statements.running] {
            let db = Arc::clone(&self.db);
            let work = self.db.transact(move |s| {
                Box::pin(async move {
                    s.run(db.statements().node_leave, vec![node.into(), now.into()]).await?;
                    release_all(&*db, s, find, node, now).await
                })
            });
            self.rung(work.await.map_err(|fault| fault.told("taking the node out"))?);
        }
        Ok(())
    }

    pub(in crate::store) async fn cancels_of(&self, node: NodeId) -> Result<Vec<RunId>> {
        let rows = self.db.read(self.db.statements().cancels, vec![node.into()]).await;
        let rows = rows.map_err(|fault| fault.told("looking for cancels"))?;
        Ok(rows.into_iter().filter_map(|mut row| readable(row.id("run"))).collect())
    }

    pub(in crate::store) async fn hold_activity(&self, activity: &Activity, now: Timestamp) -> Result<bool> {
        const DOING: &str = "taking a maintenance lease";
        let now = self.lease_time(now).await?;
        let node = activity.node;
        let values: Vec<Value> =
            vec![activity.name.into(), node.into(), now.into(), now.after(activity.lease).into()];
        let statement = self.db.statements().hold;
        // Not on the connection of the leases: there a renewal would wait for it.
        let work = self.db.alone(move |s| Box::pin(async move { s.run(statement, values).await }));
        match work.await.map_err(|fault| fault.told(DOING))?.first_mut() {
            Some(row) => Ok(row.id::<NodeId>("node_id")? == node),
            None => Ok(false),
        }
    }
}

/// What is running at the start of the only node belonged to a process that is dead.
async fn reclaim_at_start<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    node: NodeId,
    losses: &LossPolicy,
    now: Timestamp,
) -> Done<Back> {
    db.supersede(session, node.into(), now).await?;
    let hand = Hand { by: SettledBy::Start, now };
    reclaim(db, session, db.statements().orphans, Vec::new(), losses, hand).await
}

/// Takes back, as crashed, all that a statement finds running, some at a time.
pub(super) async fn reclaim<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    find: &'static str,
    values: Vec<Value>,
    losses: &LossPolicy,
    hand: Hand,
) -> Done<Back> {
    let mut reclaimed = Vec::new();
    loop {
        let rows = session.run(find, [values.clone(), vec![MOST.into()]].concat()).await?;
        let found = rows.len();
        let mut decided = Vec::with_capacity(found);
        for mut row in rows {
            let Some(job) = readable(Found::read(&mut row)) else { continue };
            let loss = Loss {
                job: job.told.job,
                run: job.told.run,
                tries: job.tries,
                last_chance: job.last_chance,
                cancel_requested: job.cancel_requested,
            };
            decided.push(job.crashed(D::WIRE, loss.settle(losses, hand.now)));
        }
        let moved = settle_found(db, session, decided, hand).await?;
        let progress = !moved.is_empty();
        reclaimed.extend(moved);
        if found < MOST as usize || !progress {
            return Back::followed(db, session, reclaimed, hand).await;
        }
    }
}

/// Gives back all that a node that leaves still holds.
async fn release_all<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    find: &'static str,
    node: NodeId,
    now: Timestamp,
) -> Done<Back> {
    // Nobody's hands hold it any more; were it the owner's word, a late outcome would pass for stored.
    let hand = Hand { by: SettledBy::Renewal, now };
    let mut released = Vec::new();
    loop {
        let rows = session.run(find, vec![node.into(), MOST.into()]).await?;
        let mut decided = Vec::with_capacity(rows.len());
        for mut row in rows {
            let Some(job) = readable(Found::read(&mut row)) else { continue };
            decided.push(job.released(D::WIRE, "released: the node left"));
        }
        let moved = settle_found(db, session, decided, hand).await?;
        if moved.is_empty() {
            return Back::followed(db, session, released, hand).await;
        }
        released.extend(moved);
    }
}

fn published(wire: Wire, kind: &PublishedKind) -> String {
    wire.item(|fields| {
        fields.text("kind", &kind.kind);
        fields.text("summary", &kind.summary);
        fields.opt_text("args_schema", kind.args_schema.as_ref().map(|json| json.as_str()));
        fields.json("defaults", &serde_json::to_string(&kind.defaults).unwrap_or_else(|_| "{}".into()));
    })
}

//! Barriers: set with the follow-ups that they wait for, fired once, dropped when nobody wants them any more.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use crate::job::{JobId, JobState, Kind, NewJob, Queue, RunId, Timestamp};
use crate::store::batch::{Batches, Wire};
use crate::store::dialect::{Outcome as Done, Session};
use crate::store::records::readable;
use crate::store::{Inserted, Result, StoreError};

use super::endings::{Endings, Enqueued};
use super::follow_ups::FEW;
use super::insert;

/// How long after the last end a continuation is due, in microseconds: beside the fields of the job as it is kept.
const DELAY: &str = "delay_us";

/// A barrier on its way in: the run that sets it, its job, and the continuation.
pub(super) fn item(wire: Wire, run: RunId, job: JobId, continuation: &NewJob) -> String {
    let kept = wire.item(|fields| {
        insert::undated(fields, continuation);
        let delay = continuation.scheduled_at.since(continuation.created_at);
        fields.number(DELAY, delay.as_micros());
    });
    wire.item(|fields| {
        fields.id("run", run.uuid());
        fields.id("job", job.uuid());
        fields.text("continuation", kept);
    })
}

/// Sets barriers, in the transaction that completes their runs.
pub(super) async fn set(endings: &Endings, session: &mut dyn Session, items: Vec<String>) -> Done<()> {
    for batch in Batches::new(items.into_iter(), FEW) {
        session.run(endings.statements.barriers_set, vec![batch.into(), endings.now.into()]).await?;
    }
    Ok(())
}

/// Fires those barriers of these runs whose children have all ended. They are counted by a statement that begins when
/// the barriers are held: of those who end the last children at once, the one that comes last sees all of them ended.
pub(super) async fn fire(
    endings: &Endings,
    session: &mut dyn Session,
    runs: &[RunId],
) -> Done<Vec<Enqueued>> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let Endings { wire, statements, now } = endings;
    let mut held: Vec<RunId> = Vec::new();
    for mut row in session.run(statements.barriers_lock, vec![runs.into()]).await? {
        held.push(row.id("run_id")?);
    }
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let (mut items, mut enqueued, mut answers) = (Vec::new(), Vec::new(), HashMap::new());
    for mut row in session.run(statements.barriers_fire, vec![held.as_slice().into()]).await? {
        let kept = row.text("continuation")?;
        if let Some((item, job)) = readable(dated(*wire, &kept, *now)) {
            items.push(item);
            enqueued.push(job);
        }
    }
    for batch in Batches::new(items.into_iter(), FEW) {
        for mut row in session.run(statements.insert, vec![batch.into()]).await? {
            let id = row.id("id")?;
            answers.insert(id, Inserted::New(id));
        }
    }
    Ok(enqueued.into_iter().map(|job: Enqueued| job.answered(&answers)).collect())
}

/// Drops the barriers that these jobs have set and that have not fired: their continuations are never enqueued. To be
/// called before [`Endings::follow`], once the jobs that it ends are locked.
pub(super) async fn drop_of(
    endings: &Endings,
    session: &mut dyn Session,
    parents: &[JobId],
) -> Done<Vec<RunId>> {
    let rows = session.run(endings.statements.barriers_drop, vec![parents.into()]).await?;
    rows.into_iter().map(|mut row| Ok(row.id("run_id")?)).collect()
}

/// What is told of a continuation.
#[derive(serde::Deserialize)]
struct Named {
    id: JobId,
    kind: String,
    queue: String,
}

/// A continuation as it is inserted now.
fn dated(wire: Wire, kept: &str, now: Timestamp) -> Result<(String, Enqueued)> {
    let unreadable = |_| StoreError::Unreadable { what: "continuation", found: kept.to_owned() };
    let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(kept).map_err(unreadable)?;
    let delay = fields.remove(DELAY).and_then(|delay| delay.get().parse().ok()).unwrap_or(0);
    let due = now.after(std::time::Duration::from_micros(delay));
    let state = if delay == 0 { JobState::Available } else { JobState::Scheduled };
    let item = wire.item(|item| {
        fields.iter().for_each(|(name, value)| item.json(name, value.get()));
        insert::dates(item, state, now, due);
    });
    let Named { id, kind, queue } = serde_json::from_str(kept).map_err(unreadable)?;
    let (kind, queue) = (Kind::stored(&kind), Queue::stored(&queue));
    Ok((item, Enqueued { inserted: Inserted::New(id), kind, queue, state, due }))
}

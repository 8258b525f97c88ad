//! The row of a schedule: held, decided upon, and written. Whatever is decided upon a row is decided while it is held.

use crate::job::{Slug, Timestamp};
use crate::store::batch::{Wire, join, texts};
use crate::store::dialect::{Outcome as Done, Session};
use crate::store::fault::Fault;
use crate::store::records;
use crate::store::statements::Statements;
use crate::store::{ScheduleKept, StoreError};
use crate::timing::{Origin, Schedule, ScheduleRecord};

/// How often a schedule is looked at anew that somebody else has added meanwhile.
const ROUNDS: usize = 3;

/// What there is under a name, held until the transaction ends.
#[derive(Debug)]
pub(super) enum Had {
    Nothing,
    Row(Box<ScheduleRecord>),
    /// Another program wrote it, or a newer version of this one.
    Unreadable(StoreError),
}

pub(super) async fn lock(session: &mut dyn Session, texts: &Statements, slug: &Slug) -> Done<Had> {
    let rows = session.run(texts.schedule_lock, vec![slug.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(Had::Nothing) };
    Ok(records::schedule(&mut row).map_or_else(Had::Unreadable, |record| Had::Row(Box::new(record))))
}

/// What became of a definition, whoever gave it.
#[derive(Debug)]
pub(super) enum Kept {
    As(ScheduleKept),
    /// It is somebody else's to change.
    OfOthers,
    /// It can't be kept, or what is there can't be read.
    Broken(StoreError),
}

/// Makes the schedule of this name like this one. What is there is held before anything is decided upon it; what is not
/// there can't be held, and may be there before this one is.
pub(super) async fn keep(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    (schedule, origin): (&Schedule, Origin),
    now: Timestamp,
) -> Done<Kept> {
    for _ in 0..ROUNDS {
        let had = match lock(session, texts, &schedule.slug).await? {
            Had::Nothing => None,
            Had::Row(had) if is_of_others(&had, origin) => return Ok(Kept::OfOthers),
            Had::Row(had) => Some(had),
            Had::Unreadable(why) => return Ok(Kept::Broken(why)),
        };
        let record = match schedule.record(had.as_deref(), origin, now) {
            Ok(record) => record,
            Err(error) => return Ok(Kept::Broken(error.into())),
        };
        match had {
            Some(had) if *had == record => return Ok(Kept::As(ScheduleKept::Unchanged)),
            Some(_) => {
                change(session, texts, wire, &record).await?;
                return Ok(Kept::As(ScheduleKept::Changed));
            }
            None if add(session, texts, wire, &record).await? => return Ok(Kept::As(ScheduleKept::Added)),
            // Somebody else has added one of this name meanwhile.
            None => {}
        }
    }
    // It comes and goes again and again.
    Err(Fault::Verb(StoreError::Contended { what: "schedule" }))
}

/// Whether the schedule is not to be changed from there: a file's by nobody but a file, as long as one has it; an
/// operator's by no file.
fn is_of_others(had: &ScheduleRecord, origin: Origin) -> bool {
    match origin {
        Origin::Operator => had.origin == Origin::Config && had.disabled_by != Some(Origin::Config),
        Origin::Config => had.origin == Origin::Operator,
    }
}

/// Whether it was added: not, if there is one of this name.
async fn add(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    record: &ScheduleRecord,
) -> Done<bool> {
    let rows = session.run(texts.schedule_add, vec![join([encode(wire, record)]).into()]).await?;
    Ok(!rows.is_empty())
}

/// Changes one whose row is held.
pub(super) async fn change(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    record: &ScheduleRecord,
) -> Done<()> {
    let values = vec![join([encode(wire, record)]).into(), (&record.slug).into()];
    session.run(texts.schedule_change, values).await.map(drop)
}

fn encode(wire: Wire, record: &ScheduleRecord) -> String {
    wire.item(|fields| {
        fields.text("slug", &record.slug);
        fields.text("kind", &record.kind);
        fields.text("args", record.args.as_str());
        fields.text("queue", &record.queue);
        fields.number("priority", record.priority);
        fields.text("executor_class", &record.executor_class);
        fields.opt_number("max_attempts", record.max_attempts);
        fields.opt_number("timeout_ms", record.timeout_ms);
        fields.opt_number("fuel", record.fuel);
        fields.opt_number("backoff_base_ms", record.backoff_base_ms);
        fields.opt_number("backoff_cap_ms", record.backoff_cap_ms);
        fields.text("tags", texts(&record.tags));
        fields.text("metadata", record.metadata.as_str());
        fields.opt_text("cron", record.cron.as_ref());
        fields.opt_number("every_ms", record.every_ms);
        fields.text("timezone", &record.timezone);
        fields.number("backfill_cap", record.backfill_cap);
        fields.text("overlap", record.overlap.as_str());
        fields.flag("active", record.active);
        fields.opt_text("disabled_by", record.disabled_by.map(Origin::as_str));
        fields.text("origin", record.origin.as_str());
        fields.time("next_at", record.next_at);
        fields.id("last_job_id", record.last_job_id.map(|job| job.uuid()));
        fields.time("last_enqueued_at", record.last_enqueued_at);
        fields.opt_text("last_error", record.last_error.as_ref());
        fields.time("created_at", record.created_at);
        fields.time("updated_at", record.updated_at);
    })
}

//! Schedules come, change and go: by an operator's order, or as the configuration of a node has them.

use std::collections::BTreeMap;

use super::insert::{BULK, Incoming};
use crate::job::{ActionId, JobState, Key, Slug, Timestamp};
use crate::store::batch::{Wire, join, texts};
use crate::store::dialect::{Dialect, Outcome as Done, Ring, Session};
use crate::store::fault::Fault;
use crate::store::records::{self, readable};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{
    Reconciled, Result, ScheduleKept, ScheduleOrder, ScheduleRan, ScheduleRemoved, ScheduleSwitched,
    StoreError, Switch,
};
use crate::timing::{Origin, Schedule, ScheduleRecord};

/// How often a schedule is looked at anew that somebody else has added meanwhile.
const ROUNDS: usize = 3;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn read_schedules(&self) -> Result<Vec<ScheduleRecord>> {
        let rows = self.db.read(self.db.statements().schedules, Vec::new()).await;
        let rows = rows.map_err(|fault| fault.told("reading the schedules"))?;
        Ok(rows.into_iter().filter_map(|mut row| readable(records::schedule(&mut row))).collect())
    }

    pub(in crate::store) async fn keep(
        &self,
        order: &ScheduleOrder,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<ScheduleKept> {
        let schedule = schedule.clone();
        let answer =
            self.carry_out_one(order, format!("schedules add {}", schedule.slug), now, move |s, texts| {
                let schedule = schedule.clone();
                Box::pin(async move {
                    match keep(s, &texts, D::WIRE, (&schedule, Origin::Operator), now).await? {
                        Kept::As(kept) => Ok(kept),
                        Kept::OfOthers => Ok(ScheduleKept::OfConfig),
                        Kept::Broken(error) => Err(error.into()),
                    }
                })
            });
        let answer = answer.await.map_err(|fault| fault.told("adding a schedule"))?;
        self.ring(Ring::Schedule);
        Ok(answer)
    }

    pub(in crate::store) async fn remove(
        &self,
        order: &ScheduleOrder,
        slug: &Slug,
        now: Timestamp,
    ) -> Result<ScheduleRemoved> {
        let slug = slug.clone();
        let what = format!("schedules remove {slug}");
        let answer = self.carry_out_one(order, what, now, move |s, texts| {
            let slug = slug.clone();
            Box::pin(async move {
                let rows = s.run(texts.schedule_remove, vec![(&slug).into()]).await?;
                Ok(match rows.into_iter().next() {
                    Some(mut row) => ScheduleRemoved::Removed(row.word("origin")?),
                    None => ScheduleRemoved::NotFound,
                })
            })
        });
        answer.await.map_err(|fault| fault.told("removing a schedule"))
    }

    pub(in crate::store) async fn switch(
        &self,
        order: &ScheduleOrder,
        slug: &Slug,
        switch: Switch,
        now: Timestamp,
    ) -> Result<ScheduleSwitched> {
        let (word, disabled_by) = match switch {
            Switch::Enable => ("enable", None),
            Switch::Disable => ("disable", Some(Origin::Operator)),
        };
        let slug = slug.clone();
        let answer = self.carry_out_one(order, format!("schedules {word} {slug}"), now, move |s, texts| {
            let slug = slug.clone();
            Box::pin(async move {
                let had = match lock(s, &texts, &slug).await? {
                    Had::Nothing => return Ok(ScheduleSwitched::NotFound),
                    Had::Unreadable(why) => return Ok(ScheduleSwitched::Broken(why.to_string())),
                    Had::Row(had) => had,
                };
                match had.switched(disabled_by, now) {
                    Ok(record) if record == *had => Ok(ScheduleSwitched::AsItWas),
                    Ok(record) => {
                        change(s, &texts, D::WIRE, &record).await?;
                        Ok(ScheduleSwitched::Switched)
                    }
                    Err(error) => Ok(ScheduleSwitched::Broken(error.to_string())),
                }
            })
        });
        let answer = answer.await.map_err(|fault| fault.told("switching a schedule"))?;
        self.ring(Ring::Schedule);
        Ok(answer)
    }

    pub(in crate::store) async fn run_now(
        &self,
        order: &ScheduleOrder,
        slug: &Slug,
        now: Timestamp,
    ) -> Result<ScheduleRan> {
        let (slug, action) = (slug.clone(), order.action);
        let what = format!("schedules run {slug}");
        let answer = self.carry_out_one(order, what, now, move |s, texts| {
            let slug = slug.clone();
            Box::pin(async move { run_now(s, &texts, D::WIRE, (&slug, action), now).await })
        });
        let answer = answer.await.map_err(|fault| fault.told("running a schedule"))?;
        if let ScheduleRan::Enqueued(_) = answer {
            self.ring_for([(JobState::Available, None)]);
        }
        Ok(answer)
    }

    pub(in crate::store) async fn reconcile(
        &self,
        schedules: &[Schedule],
        now: Timestamp,
    ) -> Result<Reconciled> {
        let mut wanted = schedules.to_vec();
        // Two nodes that start at once wait for each other in one order.
        wanted.sort_by(|a, b| a.slug.cmp(&b.slug));
        let statements = self.db.statements().clone();
        let work = self.db.transact(move |s| {
            Box::pin(async move { reconcile(s, &statements, D::WIRE, &wanted, now).await })
        });
        let reconciled = work.await.map_err(|fault| fault.told("reconciling the schedules"))?;
        self.ring(Ring::Schedule);
        Ok(reconciled)
    }
}

fn left_its_file(record: &ScheduleRecord) -> bool {
    record.disabled_by == Some(Origin::Config)
}

/// What there is under a name, held until the transaction ends.
enum Had {
    Nothing,
    Row(Box<ScheduleRecord>),
    /// Another program wrote it, or a newer version of this one.
    Unreadable(StoreError),
}

async fn lock(session: &mut dyn Session, texts: &Statements, slug: &Slug) -> Done<Had> {
    let rows = session.run(texts.schedule_lock, vec![slug.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(Had::Nothing) };
    Ok(records::schedule(&mut row).map_or_else(Had::Unreadable, |record| Had::Row(Box::new(record))))
}

/// What became of a definition, whoever gave it.
enum Kept {
    As(ScheduleKept),
    /// It is somebody else's to change.
    OfOthers,
    /// It can't be kept, or what is there can't be read.
    Broken(StoreError),
}

/// Makes the schedule of this name like this one. What is there is held before anything is decided upon it; what is not
/// there can't be held, and may be there before this one is.
async fn keep(
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
    Err(Fault::Database(sqlx::Error::RowNotFound))
}

/// Whether the schedule is not to be changed from there: a file's by nobody but a file, as long as one has it; an
/// operator's by no file.
fn is_of_others(had: &ScheduleRecord, origin: Origin) -> bool {
    match origin {
        Origin::Operator => had.origin == Origin::Config && !left_its_file(had),
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
async fn change(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    record: &ScheduleRecord,
) -> Done<()> {
    let values = vec![join([encode(wire, record)]).into(), (&record.slug).into()];
    session.run(texts.schedule_change, values).await.map(drop)
}

async fn run_now(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    (slug, action): (&Slug, ActionId),
    now: Timestamp,
) -> Done<ScheduleRan> {
    let had = match lock(session, texts, slug).await? {
        Had::Nothing => return Ok(ScheduleRan::NotFound),
        Had::Unreadable(why) => return Ok(ScheduleRan::Broken(why.to_string())),
        Had::Row(had) => had,
    };
    let job = match had.ordered(Key::of_order(slug, action), now) {
        Ok(job) => job,
        Err(error) => return Ok(ScheduleRan::Broken(error.to_string())),
    };
    let id = job.id;
    let inserted = Incoming::new(wire, BULK, vec![job]).insert(session, texts).await?;
    let id = inserted.get(&id).map_or(id, |inserted| inserted.id());
    let values = vec![slug.into(), had.next_at.into(), id.into(), now.into()];
    session.run(texts.schedule_fired, values).await?;
    Ok(ScheduleRan::Enqueued(id))
}

async fn reconcile(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    wanted: &[Schedule],
    now: Timestamp,
) -> Done<Reconciled> {
    let mut answer = Reconciled::default();
    let mut own = BTreeMap::new();
    for mut row in session.run(texts.schedule_own, Vec::new()).await? {
        if let Some(record) = readable(records::schedule(&mut row)) {
            own.insert(record.slug.clone(), record);
        }
    }
    for schedule in wanted {
        let slug = schedule.slug.clone();
        own.remove(&slug);
        match keep(session, texts, wire, (schedule, Origin::Config), now).await? {
            Kept::As(ScheduleKept::Added) => answer.added.push(slug),
            Kept::As(ScheduleKept::Changed) => answer.changed.push(slug),
            Kept::As(ScheduleKept::Unchanged | ScheduleKept::OfConfig) => {}
            Kept::OfOthers => answer.of_operators.push(slug),
            Kept::Broken(error) => answer.refused.push((slug, error.to_string())),
        }
    }
    for (slug, had) in own.into_iter().filter(|(_, had)| had.active) {
        // Taking out of service needs nothing of the row to be readable.
        if let Ok(record) = had.switched(Some(Origin::Config), now) {
            change(session, texts, wire, &record).await?;
            answer.deactivated.push(slug);
        }
    }
    Ok(answer)
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

//! Schedules fire: each in a transaction of its own, so that none holds up another.

use super::insert::{BULK, Incoming};
use crate::job::{JobId, JobState, Slug, Timestamp, cut};
use crate::store::batch::Wire;
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::fault::{Blame, Fault};
use crate::store::records;
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::value::Row;
use crate::store::{DueSchedule, Fired, FiredJob, Inserted, Result, StoreError};
use crate::timing::{Firing, Overlap, ScheduleRecord};

const DOING: &str = "firing a schedule";
/// The most schedules of a page.
const PAGE: u32 = 1000;
/// The most bytes of a reason that are kept.
const REASON: usize = 1 << 10;

/// A schedule that can't be fired as its row is.
type Attempted = std::result::Result<Fired, String>;

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn schedules_due(
        &self,
        after: Option<&DueSchedule>,
        now: Timestamp,
    ) -> Result<Vec<DueSchedule>> {
        self.check_time(now).await?;
        let (since, slug) = after.map_or((Timestamp::EPOCH, ""), |last| (last.next_at, last.slug.as_str()));
        let values = vec![now.into(), since.into(), slug.into(), PAGE.into()];
        let rows = self.db.read(self.db.statements().schedules_due, values).await;
        let rows = rows.map_err(|fault| fault.told("looking for schedules that are due"))?;
        let due = |mut row: Row| {
            Ok(DueSchedule { slug: row.name("slug", Slug::stored)?, next_at: row.time("next_at")? })
        };
        rows.into_iter().map(due).collect()
    }

    pub(in crate::store) async fn schedules_next(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let rows = self.db.read(self.db.statements().schedules_next, vec![now.into()]).await;
        let rows = rows.map_err(|fault| fault.told("looking for the next schedule"))?;
        rows.into_iter().next().map(|mut row| row.time("next_at")).transpose()
    }

    pub(in crate::store) async fn fire_schedule(&self, slug: &Slug, now: Timestamp) -> Result<Fired> {
        self.check_time(now).await?;
        let (statements, name) = (self.db.statements().clone(), slug.clone());
        let turnstile = self.turnstile(now);
        let work = self.db.transact(move |s| {
            Box::pin(async move {
                let fired = take(s, &statements, D::WIRE, &name, now).await?;
                Ok((fired, turnstile.turn(s).await?))
            })
        });
        let why = match work.await {
            Ok((Ok(fired), turned)) => {
                self.ring_for_turned(turned);
                self.ring_for_fired(&fired);
                return Ok(fired);
            }
            Ok((Err(why), _)) => why,
            // The database refuses what the row asks for, or gives back what no binary of ours wrote.
            Err(fault) if fault.blame() == Blame::Item => fault.told(DOING).to_string(),
            Err(Fault::Verb(error @ StoreError::Unreadable { .. })) => error.to_string(),
            Err(fault) => return Err(fault.told(DOING)),
        };
        self.keep_reason(slug, why).await
    }

    fn ring_for_fired(&self, fired: &Fired) {
        if let Fired::Moved { jobs, .. } = fired
            && jobs.iter().any(|job| !job.repeated)
        {
            self.ring_for([(JobState::Available, None)]);
        }
    }

    /// Keeps why a schedule could not be fired, where operators see it.
    async fn keep_reason(&self, slug: &Slug, why: String) -> Result<Fired> {
        let (broken, slug, kept) =
            (self.db.statements().schedule_broken, slug.clone(), cut(&why, REASON).to_owned());
        let work = self
            .db
            .alone(move |s| Box::pin(async move { s.run(broken, vec![(&slug).into(), kept.into()]).await }));
        let rows = work.await.map_err(|fault| fault.told(DOING))?;
        Ok(if rows.is_empty() { Fired::StillBroken } else { Fired::Broken(why) })
    }
}

/// Takes the row, unless another node has it, and does what it says.
async fn take(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    slug: &Slug,
    now: Timestamp,
) -> Done<Attempted> {
    let rows = session.run(texts.schedule_take, vec![slug.into(), now.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(Ok(Fired::Nothing)) };
    let record = records::schedule(&mut row)?;
    let last = last_state(session, texts, &record).await?;
    match record.fire(last, now) {
        Ok(firing) => carry_out(session, texts, wire, (&record, firing), now).await.map(Ok),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// How its last job stands, where that matters. By a statement that begins when the row is held: the one that takes the
/// row may see a job as it was before whoever had the row last, and not see the newest at all.
async fn last_state(
    session: &mut dyn Session,
    texts: &Statements,
    record: &ScheduleRecord,
) -> Done<Option<JobState>> {
    let (Overlap::Skip, Some(last)) = (record.overlap, record.last_job_id) else { return Ok(None) };
    let rows = session.run(texts.state, vec![last.into()]).await?;
    Ok(rows.into_iter().next().map(|mut row| row.word("state")).transpose()?)
}

async fn carry_out(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    (record, firing): (&ScheduleRecord, Firing),
    now: Timestamp,
) -> Done<Fired> {
    let Firing { jobs, skipped, next } = firing;
    let skipped = u32::try_from(skipped).unwrap_or(u32::MAX);
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    if jobs.is_empty() {
        session.run(texts.schedule_passed, vec![(&record.slug).into(), next.into()]).await?;
        return Ok(Fired::Moved { jobs: Vec::new(), skipped });
    }
    let answers = Incoming::new(wire, BULK, jobs).insert(session, texts).await?;
    let fired = |id: &JobId| {
        let inserted = answers.get(id).copied().unwrap_or(Inserted::New(*id));
        let repeated = matches!(inserted, Inserted::Duplicate(_));
        FiredJob { job: inserted.id(), kind: record.kind.clone(), queue: record.queue.clone(), repeated }
    };
    let jobs: Vec<FiredJob> = ids.iter().map(fired).collect();
    if let Some(last) = jobs.last() {
        let values = vec![(&record.slug).into(), next.into(), last.job.into(), now.into()];
        session.run(texts.schedule_fired, values).await?;
    }
    Ok(Fired::Moved { jobs, skipped })
}

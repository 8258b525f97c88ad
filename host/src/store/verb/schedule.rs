//! Schedules come, change and go: by an operator's order, or as the configuration of a node has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::endings::Enqueued;
use super::insert::{BULK, Incoming};
use super::schedule_row::{Had, Kept, change, keep, lock};
use crate::job::{ActionId, JobState, Key, Slug, Timestamp};
use crate::store::batch::Wire;
use crate::store::dialect::{Dialect, Outcome as Done, Ring, Session};
use crate::store::records::{self, readable};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{
    Reconciled, Result, ScheduleKept, ScheduleRan, ScheduleRemoved, ScheduleSwitched, SingleOrder, Switch,
};
use crate::timing::{Origin, Schedule, ScheduleRecord};

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn read_schedules(&self) -> Result<Vec<ScheduleRecord>> {
        let rows = self.db.read(self.db.statements().schedules, Vec::new()).await;
        let rows = rows.map_err(|fault| fault.told("reading the schedules"))?;
        Ok(rows.into_iter().filter_map(|mut row| readable(records::schedule(&mut row))).collect())
    }

    pub(in crate::store) async fn keep(
        &self,
        order: &SingleOrder,
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
        order: &SingleOrder,
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
        order: &SingleOrder,
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
        order: &SingleOrder,
        slug: &Slug,
        now: Timestamp,
    ) -> Result<ScheduleRan> {
        let (slug, action, turnstile) = (slug.clone(), order.action, self.turnstile(now));
        let what = format!("schedules run {slug}");
        // A repeat is answered what was recorded, and has enqueued nothing that could be told.
        let slot = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&slot);
        let answer = self.carry_out_one(order, what, now, move |s, texts| {
            let (slug, kept, turnstile) = (slug.clone(), Arc::clone(&kept), turnstile.clone());
            Box::pin(async move {
                let (answer, enqueued) = run_now(s, &texts, D::WIRE, (&slug, action), now).await?;
                // Whoever is let through by it is rung for with the job itself.
                turnstile.turn(s).await?;
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = enqueued;
                Ok(answer)
            })
        });
        let answer = answer.await.map_err(|fault| fault.told("running a schedule"))?;
        if let ScheduleRan::Enqueued(_) = answer {
            let enqueued: Option<Enqueued> = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            let rings = self.tell_enqueued(enqueued.into_iter().collect());
            self.ring_for(rings.into_iter().chain([(JobState::Available, None)]));
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

async fn run_now(
    session: &mut dyn Session,
    texts: &Statements,
    wire: Wire,
    (slug, action): (&Slug, ActionId),
    now: Timestamp,
) -> Done<(ScheduleRan, Option<Enqueued>)> {
    let had = match lock(session, texts, slug).await? {
        Had::Nothing => return Ok((ScheduleRan::NotFound, None)),
        Had::Unreadable(why) => return Ok((ScheduleRan::Broken(why.to_string()), None)),
        Had::Row(had) => had,
    };
    let job = match had.ordered(Key::of_order(slug, action), now) {
        Ok(job) => job,
        Err(error) => return Ok((ScheduleRan::Broken(error.to_string()), None)),
    };
    let enqueued = Enqueued::of(&job);
    let answers = Incoming::new(wire, BULK, vec![job]).insert(session, texts).await?;
    let enqueued = enqueued.answered(&answers);
    let id = enqueued.inserted.id();
    let values = vec![slug.into(), had.next_at.into(), id.into(), now.into()];
    session.run(texts.schedule_fired, values).await?;
    Ok((ScheduleRan::Enqueued(id), Some(enqueued)))
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
    session.run(texts.schedules_turn, Vec::new()).await?;
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

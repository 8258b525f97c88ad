//! Schedules fire: one node at a time looks for those that are due. Two that did it at once would fire no bucket twice.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Scheduler;
use super::duty::Duty;
use crate::event::Event;
use crate::job::Slug;
use crate::service::ServiceError;
use crate::store::{Fired, FiredJob, Reconciled, Result};
use crate::wake::Line;

impl Scheduler {
    /// The service that fires schedules: when the next is due, when one was changed, and now and then all the same.
    pub async fn fire_schedules(self, token: CancellationToken) -> Result<(), ServiceError> {
        let mut changed = self.store.bell().listen(Line::Schedule);
        let mut reconciled = false;
        let mut duty = Duty::new("cron", &self);
        loop {
            // Whatever keeps the file from being compared keeps no schedule from firing.
            if !reconciled {
                match token.run_until_cancelled(self.reconcile()).await {
                    Some(done) => reconciled = done,
                    None => return Ok(()),
                }
            }
            let mut wait = duty.asks_in();
            if duty.is_mine().await {
                wait = match self.fire_due().await {
                    Ok(next) => next.min(duty.asks_in()),
                    Err(error) => {
                        tracing::warn!(%error, "schedules were not fired");
                        self.config.poll_interval
                    }
                };
            }
            if !reconciled {
                wait = wait.min(self.config.poll_interval);
            }
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = changed.heard() => {}
                () = self.clock.sleep(wait) => {}
            }
        }
    }

    /// Makes the schedules of configurations those of this one, and answers whether that is done; without a file there
    /// is nothing to compare with.
    async fn reconcile(&self) -> bool {
        let Some(schedules) = &self.config.schedules else { return true };
        match self.store.reconcile_schedules(schedules, self.clock.now()).await {
            Ok(reconciled) => tell(&reconciled),
            Err(error) => {
                tracing::warn!(%error, "the schedules of the configuration were not compared");
                return false;
            }
        }
        true
    }

    /// Fires all that is due; answers how long until the next is.
    async fn fire_due(&self) -> Result<Duration> {
        let now = self.clock.now();
        let (mut last, mut left) = (None, false);
        loop {
            let page = self.store.due_schedules(last.as_ref(), now).await?;
            for due in &page {
                let fired = self.store.fire(&due.slug, self.clock.now()).await?;
                left |= fired == Fired::Nothing;
                self.tell_fired(&due.slug, fired);
            }
            match page.into_iter().next_back() {
                Some(due) => last = Some(due),
                None => break,
            }
        }
        let next = self.store.next_schedule(now).await?;
        let wait = next.map_or(Duration::MAX, |next| next.since(self.clock.now()));
        // Somebody has one that is due, and may not be the one to fire it.
        Ok(if left { wait.min(self.config.poll_interval) } else { wait })
    }

    fn tell_fired(&self, slug: &Slug, fired: Fired) {
        let slug = slug.clone();
        match fired {
            Fired::Nothing | Fired::StillBroken => {}
            Fired::Broken(error) => self.events.emit(&Event::ScheduleBroken { slug, error }),
            Fired::Moved { jobs, skipped } => {
                let mut counts = [0, 0];
                for FiredJob { job, kind, queue, repeated } in jobs {
                    counts[usize::from(repeated)] += 1;
                    self.events.emit(&Event::JobEnqueued { job, kind, queue, duplicate: repeated });
                }
                let [enqueued, repeated] = counts;
                self.events.emit(&Event::ScheduleFired { slug, enqueued, repeated, skipped });
            }
        }
    }
}

fn tell(reconciled: &Reconciled) {
    let Reconciled { added, changed, deactivated, of_operators, refused } = reconciled;
    for (slugs, what) in [(added, "new schedule"), (changed, "changed schedule")] {
        for slug in slugs {
            tracing::info!(schedule = %slug, "{what} of the configuration");
        }
    }
    for slug in deactivated {
        tracing::warn!(schedule = %slug, "the configuration has this schedule no more: it is out of service");
    }
    for slug in of_operators {
        tracing::warn!(
            schedule = %slug,
            "an operator has made a schedule of this name, which is left as it is: remove it, or rename this one"
        );
    }
    for (slug, error) in refused {
        tracing::warn!(schedule = %slug, error, "a schedule of the configuration can't be kept");
    }
}

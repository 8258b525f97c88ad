//! What a schedule does when its time has come: which jobs it enqueues, and where its cursor goes.

use super::{Overlap, ScheduleError, ScheduleRecord};
use crate::job::{JobId, JobState, Key, NewJob, Timestamp, When};

/// What a schedule comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firing {
    /// The jobs of the buckets that fire, oldest first.
    pub jobs: Vec<NewJob>,
    /// Buckets that would have fired, had the last job ended.
    pub skipped: usize,
    /// The cursor from now on.
    pub next: Option<Timestamp>,
}

impl ScheduleRecord {
    /// What is due now, given the state of the last job, if that still has a row. With `overlap = skip` no more than one
    /// bucket fires, the most recent: the job of the one before it could not have ended.
    ///
    /// # Errors
    /// [`ScheduleError`] when the row can't be read.
    pub fn fire(&self, last: Option<JobState>, now: Timestamp) -> Result<Firing, ScheduleError> {
        let schedule = self.definition()?;
        let Some(cursor) = self.next_at else { return Ok(Firing::default()) };
        let cap = usize::try_from(schedule.backfill_cap).unwrap_or(usize::MAX);
        let due = schedule.timing.due(cursor, now, cap, schedule.zone);
        let busy = last.is_some_and(|state| !state.is_terminal());
        let most = match (schedule.overlap, busy) {
            (Overlap::Allow, _) => due.fire.len(),
            (Overlap::Skip, false) => 1,
            (Overlap::Skip, true) => 0,
        };
        let skipped = due.fire.len().saturating_sub(most);
        let job = |bucket: &Timestamp| -> Result<NewJob, ScheduleError> {
            let mut opts = schedule.job.clone();
            opts.when = When::At(*bucket);
            opts.unique_key = Some(Key::of_bucket(&schedule.slug, *bucket));
            let job = opts.admit(JobId::mint(now), now)?;
            Ok(NewJob { schedule_slug: Some(schedule.slug.clone()), ..job })
        };
        let jobs = due.fire[skipped..].iter().map(job).collect::<Result<_, _>>()?;
        Ok(Firing { jobs, skipped, next: due.next })
    }

    /// A job of the schedule at once, for an operator's order.
    ///
    /// # Errors
    /// [`ScheduleError`] when the row can't be read.
    pub fn ordered(&self, key: Key, now: Timestamp) -> Result<NewJob, ScheduleError> {
        let schedule = self.definition()?;
        let mut opts = schedule.job;
        opts.unique_key = Some(key);
        let job = opts.admit(JobId::mint(now), now)?;
        Ok(NewJob { schedule_slug: Some(schedule.slug), ..job })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::{InsertOpts, Kind, Slug};
    use crate::timing::{Origin, Schedule, zone};

    const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn schedule(timing: &str) -> Schedule {
        let job = InsertOpts::new(Kind::new("report").expect("a kind"), "{}");
        let timing = timing.parse().unwrap_or_else(|error| panic!("{error}"));
        Schedule::new(Slug::new("nightly").expect("a slug"), timing, job)
    }

    fn record(schedule: &Schedule) -> ScheduleRecord {
        schedule.record(None, Origin::Operator, NOW).expect("a schedule")
    }

    fn later(seconds: u64) -> Timestamp {
        NOW.after(Duration::from_secs(seconds))
    }

    #[test]
    fn each_bucket_has_a_job_with_a_key_of_its_own_and_the_cursor_goes_past_now() {
        let row = record(&schedule("@every 20s"));
        let firing = row.fire(None, later(45)).expect("readable");
        let keys: Vec<_> = firing.jobs.iter().map(|job| job.unique_key.clone().expect("a key")).collect();
        assert_eq!(keys, [20, 40].map(|second| Key::of_bucket(&row.slug, later(second))));
        assert_eq!((firing.next, firing.skipped), (Some(later(60)), 0));
        assert!(firing.jobs.iter().all(|job| job.schedule_slug.as_ref() == Some(&row.slug)));
        assert_eq!(row.fire(None, later(19)).expect("readable").jobs, []);
    }

    #[test]
    fn an_overlap_is_skipped_if_so_wished_and_only_the_last_of_several_buckets_fires() {
        let row = record(&Schedule { overlap: Overlap::Skip, ..schedule("@every 20s") });
        let fires = |last| {
            let firing = row.fire(last, later(45)).expect("readable");
            (firing.jobs.iter().map(|job| job.scheduled_at).collect::<Vec<_>>(), firing.skipped)
        };
        assert_eq!(fires(None), (vec![later(40)], 1));
        assert_eq!(fires(Some(JobState::Discarded)), (vec![later(40)], 1));
        for state in [JobState::Available, JobState::Running, JobState::Retryable, JobState::Paused] {
            assert_eq!(fires(Some(state)), (vec![], 2), "{state}");
        }
    }

    #[test]
    fn the_cursor_stays_unless_the_timing_changed_or_it_was_out_of_service() {
        let row = record(&schedule("@every 1h"));
        let again = |had: &ScheduleRecord, schedule: &Schedule| {
            schedule.record(Some(had), Origin::Operator, later(60)).expect("a schedule")
        };
        assert_eq!(again(&row, &schedule("@every 1h")), row, "nothing changed");
        let mut other = schedule("@every 1h");
        other.job.priority = 5;
        let changed = again(&row, &other);
        assert_eq!((changed.next_at, changed.updated_at), (row.next_at, later(60)));
        assert_eq!(again(&row, &schedule("@every 2h")).next_at, Some(later(60 + 7200)));
        let daily = record(&schedule("0 2 * * *"));
        let berlin = Schedule { zone: zone("Europe/Berlin").expect("a zone"), ..schedule("0 2 * * *") };
        assert_ne!(again(&daily, &berlin).next_at, daily.next_at);
        let gone = row.switched(Some(Origin::Config), later(1)).expect("readable");
        assert_eq!(again(&gone, &schedule("@every 1h")).next_at, Some(later(60 + 3600)));
    }

    #[test]
    fn what_an_operator_disabled_stays_so_and_what_left_the_file_comes_back_with_it() {
        let row = record(&schedule("@every 1h"));
        for (by, active) in [(Origin::Operator, false), (Origin::Config, true)] {
            let disabled = row.switched(Some(by), later(1)).expect("readable");
            let again = schedule("@every 1h").record(Some(&disabled), Origin::Config, later(2));
            assert_eq!(again.expect("a schedule").active, active, "{by}");
        }
        let disabled = row.switched(Some(Origin::Operator), later(1)).expect("readable");
        let enabled = disabled.switched(None, later(9000)).expect("readable");
        assert_eq!((enabled.active, enabled.next_at), (true, Some(later(10_800))), "its phase is kept");
    }

    #[test]
    fn a_row_that_can_not_be_read_says_what_of_it() {
        let row = record(&schedule("0 2 * * *"));
        let broken = |change: fn(&mut ScheduleRecord)| {
            let mut row = row.clone();
            change(&mut row);
            row.fire(None, later(9)).expect_err("broken").to_string()
        };
        assert!(broken(|row| row.timezone = "Mars/Base".into()).contains("\"Mars/Base\" is no time zone"));
        assert!(broken(|row| row.cron = Some("0 2 *".into())).contains("it has 3 fields"));
        assert!(broken(|row| row.kind = Kind::stored("No Kind")).contains("kind \"No Kind\" is not valid"));
        assert!(broken(|row| (row.cron, row.every_ms) = (None, None)).contains("whole seconds"));
    }
}

//! When what happened to the measured jobs, noted in line as the node tells it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::clock::{Boot, Clock};
use crate::event::{Event, Events};
use crate::job::{JobId, Timestamp};

/// The times of jobs, by the monotonic clock.
#[derive(Clone)]
pub(super) struct Marks(Arc<Shared>);

struct Shared {
    noted: Mutex<Noted>,
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct Noted {
    started: HashMap<JobId, Boot>,
    ended: HashMap<JobId, Boot>,
    /// The job whose start was told first.
    first: Option<JobId>,
    /// The wall clock when an end was told last.
    last: Option<Timestamp>,
}

impl Marks {
    /// Notes every start and every end for good that these events tell. The store has an end before it is told.
    pub(super) fn on(events: &Events, clock: Clock) -> Self {
        let marks = Self(Arc::new(Shared { noted: Mutex::default(), ended: watch::Sender::new(0) }));
        let noting = marks.clone();
        events.record(move |event| noting.note(event, &clock));
        marks
    }

    fn note(&self, event: &Event, clock: &Clock) {
        match event {
            Event::JobStarted { job, .. } => {
                let mut noted = self.noted();
                noted.first.get_or_insert(job.job);
                noted.started.entry(job.job).or_insert_with(|| clock.boot());
            }
            Event::JobFinished(finished) if finished.state.is_terminal() => {
                let mut noted = self.noted();
                noted.ended.insert(finished.job.job, clock.boot());
                noted.last = Some(clock.now());
                drop(noted);
                self.0.ended.send_modify(|count| *count += 1);
            }
            Event::JobFinished(_)
            | Event::JobSuperseded { .. }
            | Event::JobReclaimed { .. }
            | Event::JobsPromoted { .. }
            | Event::JobEnqueued { .. }
            | Event::PluginLoaded { .. }
            | Event::PluginRefused { .. }
            | Event::PluginRemoved { .. }
            | Event::GrantDenied { .. }
            | Event::NodeLost { .. }
            | Event::LeaseLost { .. }
            | Event::ScheduleFired { .. }
            | Event::ScheduleBroken { .. }
            | Event::JobsPruned { .. }
            | Event::ServiceRestarted { .. } => {}
        }
    }

    /// When a job started and ended, if it did both.
    pub(super) fn of(&self, job: JobId) -> Option<(Boot, Boot)> {
        let noted = self.noted();
        Some((*noted.started.get(&job)?, *noted.ended.get(&job)?))
    }

    /// The job that started first.
    pub(super) fn first(&self) -> Option<JobId> {
        self.noted().first
    }

    /// When the last one ended.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.noted().last
    }

    /// How many have ended, now and as it grows.
    pub(super) fn ended(&self) -> watch::Receiver<u64> {
        self.0.ended.subscribe()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

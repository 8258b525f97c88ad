//! What a worker may ask of the queue when there is none: follow-ups are checked as a node would, and told.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use flyball::clock::Clock;
use flyball::job::{ChildRecord, Claim, Kind, LogRecord, NewJob};
use flyball::plugin::{Asker, Plugin};
use flyball::sandbox::{FollowUpRequest, Outside, Ports, Refusal, Unread};

use crate::Progress;
use crate::http::Stubs;

/// The way out of the one attempt.
pub(crate) struct TriedPorts {
    plugin: Arc<Plugin>,
    clock: Clock,
    asker: Asker,
    progress: Mutex<Vec<Progress>>,
    follow_ups: Mutex<Vec<NewJob>>,
    pub(crate) stubs: Option<Arc<Stubs>>,
}

impl TriedPorts {
    pub(crate) fn new(plugin: Arc<Plugin>, clock: Clock, claim: &Claim, stubs: Option<Arc<Stubs>>) -> Self {
        let asker = Asker::from(claim);
        Self { plugin, clock, asker, progress: Mutex::default(), follow_ups: Mutex::default(), stubs }
    }

    /// What was reported.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        std::mem::take(&mut *self.progress.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was asked for, whether or not the attempt completed.
    pub(crate) fn follow_ups(&self) -> Vec<NewJob> {
        std::mem::take(&mut *self.follow_ups.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Ports for TriedPorts {
    fn holds_lease(&self) -> bool {
        true
    }

    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        // Of all kinds this one alone is known.
        let own = |kind: &Kind| (kind == self.plugin.kind()).then(|| self.plugin.terms().max_attempts.value);
        let job = self.plugin.follow_up(&self.asker, wish, own, self.clock.now())?;
        self.follow_ups.lock().unwrap_or_else(PoisonError::into_inner).push(job.clone());
        Ok(job)
    }

    fn progress(&self, fraction: f64, note: Option<&str>) {
        let told = Progress { fraction, note: note.map(str::to_owned) };
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }

    /// There is no next attempt.
    fn save_checkpoint(&self, _: Arc<[u8]>) {}

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(None)
    }

    async fn children(&self, _: u32, _: u32) -> Result<Vec<ChildRecord>, Unread> {
        Ok(Vec::new())
    }

    fn log(&self, _line: &LogRecord) {
        // The sandbox keeps the log.
    }

    fn outside(&self) -> Option<Arc<dyn Outside>> {
        self.stubs.clone().map(|stubs| stubs as Arc<dyn Outside>)
    }
}

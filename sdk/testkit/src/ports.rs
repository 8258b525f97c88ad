//! What a worker may ask of the queue when there is none: follow-ups are checked as a node would, and told.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use flyball::clock::Clock;
use flyball::job::{ChildRecord, Claim, Kind, LogRecord, NewJob};
use flyball::plugin::{Asker, Plugin};
use flyball::sandbox::{FollowUpRequest, Outside, Ports, Refusal, Unread};

use crate::http::Stubs;
use crate::{Job, Progress};

/// Children of one page, at most.
const PAGE: u32 = 3;

/// The way out of the one attempt.
pub(crate) struct TriedPorts {
    plugin: Arc<Plugin>,
    clock: Clock,
    asker: Asker,
    progress: Mutex<Vec<Progress>>,
    checkpoint: Option<Arc<[u8]>>,
    children: Vec<ChildRecord>,
    pub(crate) stubs: Option<Arc<Stubs>>,
}

impl TriedPorts {
    pub(crate) fn new(plugin: Arc<Plugin>, clock: Clock, claim: &Claim, job: Job) -> Self {
        Self {
            plugin,
            clock,
            asker: Asker::from(claim),
            progress: Mutex::default(),
            checkpoint: job.checkpoint.map(Into::into),
            children: job.children,
            stubs: job.http.map(|http| Arc::new(Stubs::new(http))),
        }
    }

    /// What was reported.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        std::mem::take(&mut *self.progress.lock().unwrap_or_else(PoisonError::into_inner))
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
        self.plugin.follow_up(&self.asker, wish, own, self.clock.now())
    }

    fn progress(&self, fraction: f64, note: Option<&str>) {
        let told = Progress { fraction, note: note.map(str::to_owned) };
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }

    /// The last one comes with the end of the attempt.
    fn save_checkpoint(&self, _: Arc<[u8]>) {}

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(self.checkpoint.clone())
    }

    /// In pages of a few, so that whoever reads them has to go on.
    async fn children(&self, offset: u32, limit: u32) -> Result<Vec<ChildRecord>, Unread> {
        let [offset, limit] = [offset, limit.min(PAGE)].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        Ok(self.children.iter().skip(offset).take(limit).cloned().collect())
    }

    fn log(&self, _line: &LogRecord) {
        // The sandbox keeps the log.
    }

    fn outside(&self) -> Option<Arc<dyn Outside>> {
        self.stubs.clone().map(|stubs| stubs as Arc<dyn Outside>)
    }
}

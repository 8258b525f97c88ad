//! What a guest may ask of the queue, answered for one attempt.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::context::Context;
use crate::event::Event;
use crate::job::{ChildRecord, Claim, JobId, Kind, Lineage, LogRecord, NewJob, NodeId, RunId, one_line};
use crate::plugin::{Asker, Plugin};
use crate::sandbox::{FollowUpRequest, Ports, Refusal, Unread};
use crate::store::{CheckpointSave, ChildrenPage, SharedStore, StoreError};

/// Denials of one attempt that are told one by one.
const TOLD: u32 = 10;

/// Between two tries of a read that the database did not answer: from, and up to.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// The way out of one attempt.
pub(super) struct AttemptPorts {
    context: Arc<Context>,
    plugin: Arc<Plugin>,
    /// The id that the node had when it claimed: under another the attempt is no longer its own.
    node: NodeId,
    run: RunId,
    job: JobId,
    asker: Asker,
    lineage: Lineage,
    /// An attempt before this one left a checkpoint.
    checkpoint: bool,
    /// Checkpoints that it saved.
    saves: AtomicU64,
    /// Where the store is spoken to: not on the threads of guests, which would have it wait for them.
    host: Handle,
    /// Follow-ups that were not granted.
    denied: AtomicU32,
}

impl AttemptPorts {
    pub(super) fn new(context: &Arc<Context>, plugin: Arc<Plugin>, claim: &Claim, node: NodeId) -> Self {
        Self {
            context: context.clone(),
            plugin,
            node,
            run: claim.run,
            job: claim.job,
            asker: Asker::from(claim),
            lineage: claim.lineage,
            checkpoint: claim.checkpoint,
            saves: AtomicU64::new(0),
            host: Handle::current(),
            denied: AtomicU32::new(0),
        }
    }

    /// Tells the first few; an attempt that asks on and on adds nothing but lines.
    fn tell_denial(&self, hint: &str) {
        if self.denied.fetch_add(1, Ordering::Relaxed) < TOLD {
            let kind = self.plugin.kind().clone();
            self.context.events.emit(&Event::GrantDenied { kind, grant: "enqueue", hint: hint.to_owned() });
        }
    }
}

impl AttemptPorts {
    /// Reads, as long as it takes: an attempt does not fail because the database is away. When it is over it is dropped,
    /// and this with it. A turn ends when the guest has the answer, so that no more of them are in memory uncounted than
    /// there are turns.
    async fn read<T, F>(&self, read: impl Fn(SharedStore) -> F + Send + 'static) -> Result<T, Unread>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let context = self.context.clone();
        let reading = self.host.spawn(async move {
            let mut wait = RETRY.0;
            loop {
                let turn = Arc::clone(&context.reads).acquire_owned().await;
                match read(context.store.clone()).await {
                    Err(error) if error.is_passing() => {
                        drop(turn);
                        context.clock.sleep(wait).await;
                        wait = (wait * 2).min(RETRY.1);
                    }
                    answer => return (answer, turn),
                }
            }
        });
        match AbortOnDropHandle::new(reading).await {
            Ok((answer, _turn)) => answer.map_err(|error| Unread(error.to_string())),
            Err(fault) => Err(Unread(format!("a fault of the host while reading: {fault}"))),
        }
    }
}

#[async_trait]
impl Ports for AttemptPorts {
    fn holds_lease(&self) -> bool {
        self.context.lease.is_held_by(self.node)
    }

    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        let most_attempts = |kind: &Kind| Some(self.context.plugin(kind)?.terms().max_attempts.value);
        let admitted = self.plugin.follow_up(&self.asker, wish, most_attempts, self.context.clock.now());
        if let Err(Refusal::NotGranted(hint)) = &admitted {
            self.tell_denial(hint);
        }
        admitted
    }

    fn progress(&self, fraction: f64, note: Option<&str>) {
        self.context.progress.note(self.run, fraction, note);
    }

    fn save_checkpoint(&self, data: Arc<[u8]>) {
        let number = self.saves.fetch_add(1, Ordering::Relaxed);
        self.context.checkpoints.note(CheckpointSave { job: self.job, run: self.run, number, data });
    }

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        if !self.checkpoint {
            return Ok(None);
        }
        let job = self.job;
        self.read(move |store| async move { store.checkpoint(job).await }).await
    }

    async fn children(&self, offset: u32, limit: u32) -> Result<Vec<ChildRecord>, Unread> {
        let (Some(parent), Some(run)) = (self.lineage.parent, self.lineage.continues) else {
            return Ok(Vec::new());
        };
        let page = ChildrenPage { parent, run, offset, limit };
        self.read(move |store| async move { store.children(&page).await }).await
    }

    fn log(&self, line: &LogRecord) {
        tracing::debug!(
            target: "flyball::guest",
            job_id = %self.job,
            run_id = %self.run,
            kind = %self.plugin.kind(),
            guest_level = %line.level,
            fields = line.fields.as_ref().map(tracing::field::display),
            "{}",
            one_line(&line.message)
        );
    }
}

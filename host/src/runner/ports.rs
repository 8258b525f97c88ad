//! What a guest may ask of the queue, answered for one attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::context::Context;
use crate::event::Event;
use crate::job::{Claim, JobId, Kind, LogRecord, NewJob, NodeId, RunId, one_line};
use crate::plugin::{Asker, Plugin};
use crate::sandbox::{FollowUpRequest, Ports, Refusal};

/// Denials of one attempt that are told one by one.
const TOLD: u32 = 10;

/// The way out of one attempt.
pub(super) struct AttemptPorts {
    context: Arc<Context>,
    plugin: Arc<Plugin>,
    /// The id that the node had when it claimed: under another the attempt is no longer its own.
    node: NodeId,
    run: RunId,
    job: JobId,
    asker: Asker,
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

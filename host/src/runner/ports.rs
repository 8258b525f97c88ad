//! What a guest may ask of the queue, answered for one attempt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::context::Context;
use crate::event::Event;
use crate::job::{
    Claim, ExecutorClass, InsertOpts, JobId, Key, Kind, Lineage, LogRecord, NameError, NewJob, NodeId, Queue,
    RetryPolicy, RunId, Tag, When, one_line,
};
use crate::plugin::{EnqueueWish, Plugin};
use crate::sandbox::{FollowUpRequest, Ports, Refusal};

/// The most generations below a root.
const MAX_DEPTH: u16 = 16;

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
    queue: Queue,
    executor_class: ExecutorClass,
    children: Lineage,
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
            queue: claim.queue.clone(),
            executor_class: claim.executor_class.clone(),
            children: claim.child_lineage(),
            denied: AtomicU32::new(0),
        }
    }

    fn admit(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        let invalid = |error: NameError| Refusal::Invalid(error.to_string());
        let kind = Kind::new(&wish.kind).map_err(invalid)?;
        let queue =
            wish.queue.as_deref().map_or_else(|| Ok(self.queue.clone()), Queue::new).map_err(invalid)?;
        let class = wish.executor_class.as_deref();
        let class =
            class.map_or_else(|| Ok(self.executor_class.clone()), ExecutorClass::new).map_err(invalid)?;
        let mut opts = InsertOpts::new(kind, wish.args);
        opts.priority = wish.priority.unwrap_or(opts.priority);
        self.check_grant(&opts.kind, &queue, &class, opts.priority)?;
        opts.queue = queue;
        opts.executor_class = class;
        opts.when = wish.delay.map_or(When::Now, When::In);
        opts.unique_key = self.own_key(wish.unique_key.as_deref()).map_err(invalid)?;
        opts.unique_active_key = self.own_key(wish.unique_active_key.as_deref()).map_err(invalid)?;
        opts.overrides.max_attempts = wish.max_attempts.map(|wish| wish.min(self.most_attempts(&opts.kind)));
        opts.tags = wish.tags.iter().map(|tag| Tag::new(tag)).collect::<Result<_, _>>().map_err(invalid)?;
        opts.lineage = self.children;
        let now = self.context.clock.now();
        opts.admit(JobId::mint(now), now).map_err(|error| Refusal::Invalid(error.to_string()))
    }

    /// A worker may ask for fewer attempts than a kind gets, and not for more: that is for operators to say.
    fn most_attempts(&self, kind: &Kind) -> u32 {
        let host = RetryPolicy::default().max_attempts;
        self.context.plugin(kind).map_or(host, |plugin| plugin.terms().max_attempts.value)
    }

    fn check_grant(
        &self,
        kind: &Kind,
        queue: &Queue,
        class: &ExecutorClass,
        priority: u16,
    ) -> Result<(), Refusal> {
        if self.children.depth > MAX_DEPTH {
            return Err(Refusal::TooMany(format!("more than {MAX_DEPTH} generations below the first job")));
        }
        let (own_queue, own_class) = (&self.queue, &self.executor_class);
        let wish = EnqueueWish { kind, queue, class, priority, own_queue, own_class };
        self.plugin.grants().allows_enqueue(&wish).map_err(|hint| {
            self.tell_denial(&hint);
            Refusal::NotGranted(hint)
        })
    }

    /// Tells the first few; an attempt that asks on and on adds nothing but lines.
    fn tell_denial(&self, hint: &str) {
        if self.denied.fetch_add(1, Ordering::Relaxed) < TOLD {
            let kind = self.plugin.kind().clone();
            self.context.events.emit(&Event::GrantDenied { kind, grant: "enqueue", hint: hint.to_owned() });
        }
    }

    /// Keys of guests live in a space of their own for each kind.
    fn own_key(&self, key: Option<&str>) -> Result<Option<Key>, NameError> {
        key.map(|key| Key::of_worker(self.plugin.kind(), key)).transpose()
    }
}

impl Ports for AttemptPorts {
    fn holds_lease(&self) -> bool {
        self.context.lease.is_held_by(self.node)
    }

    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        self.admit(wish)
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

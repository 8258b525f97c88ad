//! What a worker may ask of the queue when there is none: follow-ups are checked as a node would, and only told.

use std::io::IsTerminal as _;
use std::sync::Arc;

use crate::clock::Clock;
use crate::job::{
    Claim, ExecutorClass, InsertOpts, JobId, Key, Kind, Lineage, LogRecord, NameError, NewJob, Queue, Tag,
    When, one_line, visible,
};
use crate::plugin::{EnqueueWish, Plugin};
use crate::sandbox::{FollowUpRequest, Ports, Refusal};

/// The way out of the one attempt.
pub(super) struct LonePorts {
    plugin: Arc<Plugin>,
    clock: Clock,
    queue: Queue,
    class: ExecutorClass,
    children: Lineage,
    talk: Talk,
}

/// Whether what happens is told as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// To standard error: log lines, and on a terminal progress.
    Live,
    /// It is all in the answer.
    Silent,
}

impl LonePorts {
    pub(super) fn new(plugin: Arc<Plugin>, clock: Clock, claim: &Claim, talk: Talk) -> Self {
        let (queue, class) = (claim.queue.clone(), claim.executor_class.clone());
        Self { plugin, clock, queue, class, children: claim.child_lineage(), talk }
    }

    fn opts(&self, wish: FollowUpRequest) -> Result<InsertOpts, NameError> {
        let key = |key: Option<String>| key.map(|key| Key::of_worker(self.plugin.kind(), &key)).transpose();
        let mut opts = InsertOpts::new(Kind::new(&wish.kind)?, wish.args);
        opts.queue = wish.queue.map_or_else(|| Ok(self.queue.clone()), |queue| Queue::new(&queue))?;
        opts.executor_class =
            wish.executor_class.map_or_else(|| Ok(self.class.clone()), |class| ExecutorClass::new(&class))?;
        opts.priority = wish.priority.unwrap_or(opts.priority);
        opts.when = wish.delay.map_or(When::Now, When::In);
        opts.unique_key = key(wish.unique_key)?;
        opts.unique_active_key = key(wish.unique_active_key)?;
        opts.overrides.max_attempts = wish.max_attempts;
        opts.tags = wish.tags.iter().map(|tag| Tag::new(tag)).collect::<Result<_, _>>()?;
        opts.lineage = self.children;
        Ok(opts)
    }
}

impl Ports for LonePorts {
    fn holds_lease(&self) -> bool {
        true
    }

    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        let opts = self.opts(wish).map_err(|error| Refusal::Invalid(error.to_string()))?;
        let InsertOpts { kind, queue, executor_class: class, priority, .. } = &opts;
        let (own_queue, own_class) = (&self.queue, &self.class);
        let wish = EnqueueWish { kind, queue, class, priority: *priority, own_queue, own_class };
        self.plugin.grants().allows_enqueue(&wish).map_err(Refusal::NotGranted)?;
        let now = self.clock.now();
        opts.admit(JobId::mint(now), now).map_err(|error| Refusal::Invalid(error.to_string()))
    }

    fn progress(&self, fraction: f64, note: Option<&str>) {
        if self.talk == Talk::Live && std::io::stderr().is_terminal() {
            eprintln!("progress {:.0} % {}", fraction * 100.0, visible(note.unwrap_or_default()));
        }
    }

    fn log(&self, line: &LogRecord) {
        if self.talk == Talk::Live {
            let fields = line.fields.as_ref().map(|fields| format!(" {fields}")).unwrap_or_default();
            eprintln!("{:<5} {}", line.level, one_line(&format!("{}{fields}", line.message)));
        }
    }
}

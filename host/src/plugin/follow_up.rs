//! From what a worker asks for to a job, or a refusal. Decided here for whoever runs attempts: a node, or one attempt
//! without a queue.

use super::Plugin;
use super::grants::EnqueueWish;
use crate::job::{
    Claim, ExecutorClass, InsertOpts, JobIds, Key, Kind, Lineage, NameError, NewJob, Queue, RetryPolicy, Tag,
    Timestamp, When,
};
use crate::sandbox::{FollowUpRequest, Refusal};

/// The most generations below a root.
const MAX_DEPTH: u16 = 16;

/// The job whose attempt asks.
#[derive(Debug)]
pub struct Asker {
    queue: Queue,
    executor_class: ExecutorClass,
    children: Lineage,
    /// In the order in which they are asked for.
    ids: JobIds,
}

impl From<&Claim> for Asker {
    fn from(claim: &Claim) -> Self {
        Self {
            queue: claim.queue.clone(),
            executor_class: claim.executor_class.clone(),
            children: claim.child_lineage(),
            ids: JobIds::default(),
        }
    }
}

impl Plugin {
    /// Turns a wish into a job that is due from `now` on. `most_attempts` tells how many attempts a kind gets, if it is
    /// known here.
    ///
    /// # Errors
    /// [`Refusal`] says what was not granted, is too many, or is no job.
    pub fn follow_up(
        &self,
        asker: &Asker,
        wish: FollowUpRequest,
        most_attempts: impl Fn(&Kind) -> Option<u32>,
        now: Timestamp,
    ) -> Result<NewJob, Refusal> {
        let invalid = |error: NameError| Refusal::Invalid(error.to_string());
        let mut opts = self.opts(asker, wish).map_err(invalid)?;
        self.check_grant(asker, &opts)?;
        // A worker may ask for fewer attempts than a kind gets, and not for more: that is for operators to say.
        let most = most_attempts(&opts.kind).unwrap_or(RetryPolicy::default().max_attempts);
        opts.overrides.max_attempts = opts.overrides.max_attempts.map(|wish| wish.min(most));
        opts.admit(asker.ids.mint(now), now).map_err(|error| Refusal::Invalid(error.to_string()))
    }

    fn opts(&self, asker: &Asker, wish: FollowUpRequest) -> Result<InsertOpts, NameError> {
        // Keys of guests live in a space of their own for each kind.
        let key = |key: Option<String>| key.map(|key| Key::of_worker(self.kind(), &key)).transpose();
        let mut opts = InsertOpts::new(Kind::new(&wish.kind)?, wish.args);
        opts.queue = wish.queue.map_or_else(|| Ok(asker.queue.clone()), |queue| Queue::new(&queue))?;
        let class = wish.executor_class;
        opts.executor_class =
            class.map_or_else(|| Ok(asker.executor_class.clone()), |class| ExecutorClass::new(&class))?;
        opts.priority = wish.priority.unwrap_or(opts.priority);
        opts.when = wish.delay.map_or(When::Now, When::In);
        opts.unique_key = key(wish.unique_key)?;
        opts.unique_active_key = key(wish.unique_active_key)?;
        opts.overrides.max_attempts = wish.max_attempts;
        opts.tags = wish.tags.iter().map(|tag| Tag::new(tag)).collect::<Result<_, _>>()?;
        opts.lineage = asker.children;
        Ok(opts)
    }

    fn check_grant(&self, asker: &Asker, opts: &InsertOpts) -> Result<(), Refusal> {
        if asker.children.depth > MAX_DEPTH {
            return Err(Refusal::TooMany(format!("more than {MAX_DEPTH} generations below the first job")));
        }
        let wish = EnqueueWish {
            kind: &opts.kind,
            queue: &opts.queue,
            class: &opts.executor_class,
            priority: opts.priority,
            own_queue: &asker.queue,
            own_class: &asker.executor_class,
        };
        self.grants().allows_enqueue(&wish).map_err(Refusal::NotGranted)
    }
}

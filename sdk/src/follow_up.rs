//! Jobs to enqueue when this attempt completes, and the one to enqueue when those have ended.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::bindings::flyball::worker::{barrier, follow_ups as wire};
use crate::{Classify, Failure, Result, quantity};

/// Begins a follow-up of the given kind: a job that is enqueued if, and only if, this attempt
/// completes. Its args are `null` unless you give some.
///
/// ```no_run
/// # use flyball_worker::{Result, follow_up};
/// # fn run(page: u32) -> Result<()> {
/// follow_up("report").args(&page)?.queue("slow").unique_key(format!("page-{page}")).add()?;
/// # Ok(())
/// # }
/// ```
pub fn follow_up(kind: impl Into<String>) -> FollowUp {
    FollowUp(wire::FollowUp {
        kind: kind.into(),
        args: "null".into(),
        queue: None,
        priority: None,
        delay_ms: None,
        unique_key: None,
        unique_active_key: None,
        max_attempts: None,
        executor_class: None,
        tags: Vec::new(),
    })
}

/// Sets the barrier behind the follow-ups of this attempt: the continuation is enqueued once, when
/// every one of them has ended, whatever it came to; at once, if there is none. Its delay counts from
/// then. Set again, the last one counts. In the continuation, [`children`](crate::children) are the
/// follow-ups with their outputs.
///
/// ```no_run
/// # use flyball_worker::{Result, follow_up, set_barrier};
/// # fn run(pages: Vec<u32>) -> Result<()> {
/// for page in &pages {
///     follow_up("page").args(page)?.add()?;
/// }
/// set_barrier(follow_up("book").args(&pages.len())?)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The host refuses what it would refuse as a follow-up. What was set before stays set.
pub fn set_barrier(continuation: FollowUp) -> Result<(), Refusal> {
    let FollowUp(continuation) = continuation;
    barrier::set(&continuation).map_err(Refusal::from)
}

/// A follow-up in the making: nothing is asked for until [`add`](FollowUp::add).
#[derive(Clone, Debug)]
#[must_use = "a follow-up is asked for by `add`"]
pub struct FollowUp(wire::FollowUp);

impl FollowUp {
    /// The args of the job: anything that serde can write.
    ///
    /// # Errors
    /// Args that JSON cannot say, as a permanent failure.
    pub fn args(self, args: &impl Serialize) -> Result<Self> {
        let args = serde_json::to_string(args).permanent()?;
        Ok(Self(wire::FollowUp { args, ..self.0 }))
    }

    /// The queue to wait in, instead of this job's.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        Self(wire::FollowUp { queue: Some(queue.into()), ..self.0 })
    }

    /// The place in the queue: lower runs first, 100 is usual.
    pub fn priority(self, priority: u16) -> Self {
        Self(wire::FollowUp { priority: Some(priority), ..self.0 })
    }

    /// How long to wait before it is due.
    pub fn delay(self, delay: Duration) -> Self {
        Self(wire::FollowUp { delay_ms: Some(quantity::whole_millis(delay)), ..self.0 })
    }

    /// Enqueues nothing if any job with this key is still on record.
    pub fn unique_key(self, key: impl Into<String>) -> Self {
        Self(wire::FollowUp { unique_key: Some(key.into()), ..self.0 })
    }

    /// Enqueues nothing if an unfinished job has this key.
    pub fn unique_active_key(self, key: impl Into<String>) -> Self {
        Self(wire::FollowUp { unique_active_key: Some(key.into()), ..self.0 })
    }

    /// How many of its attempts may fail before it is given up.
    pub fn max_attempts(self, attempts: u32) -> Self {
        Self(wire::FollowUp { max_attempts: Some(attempts), ..self.0 })
    }

    /// The class of nodes that may run it, instead of this job's.
    pub fn executor_class(self, class: impl Into<String>) -> Self {
        Self(wire::FollowUp { executor_class: Some(class.into()), ..self.0 })
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.0.tags.push(tag.into());
        self
    }

    /// Asks for the follow-up.
    ///
    /// # Errors
    /// The host refuses what the manifest does not grant, what is past a limit, and what is no
    /// job. By `?` a refusal becomes a permanent failure.
    pub fn add(self) -> Result<(), Refusal> {
        wire::add(&self.0).map_err(Refusal::from)
    }
}

impl From<wire::Refusal> for Refusal {
    fn from(refusal: wire::Refusal) -> Self {
        match refusal {
            wire::Refusal::NotGranted(why) => Self::NotGranted(why),
            wire::Refusal::TooMany(why) => Self::TooMany(why),
            wire::Refusal::Invalid(why) => Self::Invalid(why),
        }
    }
}

/// Why the host did not take a follow-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The manifest grants no such kind, queue, class or priority.
    NotGranted(String),
    /// This attempt, this chain of jobs or this family has reached its limit.
    TooMany(String),
    /// The follow-up is none: a bad name, args too large.
    Invalid(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NotGranted(why) | Self::TooMany(why) | Self::Invalid(why)) = self;
        write!(f, "follow-up refused: {why}")
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::permanent(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;
    use crate::bindings::flyball::worker::types;

    #[test]
    fn a_follow_up_says_only_what_it_was_told() {
        let plain = follow_up("report").0;
        assert_eq!((plain.kind.as_str(), plain.args.as_str()), ("report", "null"));
        assert_eq!((plain.queue, plain.delay_ms, plain.unique_key), (None, None, None));

        let asked = follow_up("report").args(&[1, 2]).expect("a list is JSON");
        let asked = asked.delay(Duration::from_secs(1)).unique_key("k").tag("a").tag("b").0;
        assert_eq!(asked.args, "[1,2]");
        assert_eq!(asked.delay_ms, Some(1000));
        assert_eq!(asked.unique_key.as_deref(), Some("k"));
        assert_eq!(asked.tags, ["a", "b"]);
    }

    #[test]
    fn a_refusal_is_a_permanent_failure() {
        let failure = types::Failure::from(Failure::from(Refusal::TooMany("10000 is all".into())));
        assert_eq!(failure.class, ErrorClass::Permanent);
        assert_eq!(failure.message, "follow-up refused: 10000 is all");
    }
}

//! Why a job does not run: the one reason that matters now, as a value and in a sentence.

use std::fmt;

use serde::Serialize;

use super::{Client, Result};
use crate::job::{
    ErrorClass, ExecutorClass, JobId, JobRecord, JobState, Kind, NodeId, Outcome, Queue, RunId, RunRecord,
    Timestamp, one_line,
};
use crate::store::{Ahead, NodeRecord};

/// Of the jobs that come before one in its lane so many are counted.
const COUNTED: u32 = 1000;

/// Why a job does not run, or that it does. Of several reasons, the one that would have to go first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Why {
    /// It has ended.
    Ended {
        /// So.
        state: JobState,
        /// Then.
        at: Option<Timestamp>,
    },
    /// It runs.
    Runs {
        /// Where.
        on: OnNode,
        /// Since when.
        since: Option<Timestamp>,
        /// When somebody asked to cancel it.
        cancel_requested_at: Option<Timestamp>,
    },
    /// It was claimed, and its node is gone: it is taken back by a sweep, or on SQLite when the next node starts.
    NodeGone {
        /// Where it ran.
        on: OnNode,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// An operator set it aside.
    Paused,
    /// It is due later.
    Later {
        /// Then.
        at: Timestamp,
    },
    /// An attempt failed or was lost, and the next one is due later.
    Retry {
        /// Then.
        at: Timestamp,
        /// What the last attempt came to.
        after: Option<LastRun>,
    },
    /// It is due, and no node has made it available yet.
    Due {
        /// Since then.
        since: Timestamp,
    },
    /// Its queue is paused, on every node.
    QueuePaused {
        /// This one.
        queue: Queue,
    },
    /// Its kind is paused, on every node.
    KindPaused {
        /// This one.
        kind: Kind,
    },
    /// A limit keeps it back.
    Blocked {
        /// The limit.
        by: String,
        /// The key that is at its limit.
        key: Option<String>,
    },
    /// No node is alive.
    NoNode,
    /// Nodes are alive, and none has a worker for it.
    NoNodeWithKind {
        /// Its kind.
        kind: Kind,
    },
    /// None of those that have a worker for it serves its queue.
    NoNodeWithQueue {
        /// Its queue.
        queue: Queue,
    },
    /// None of those that have a worker for it and serve its queue serves its executor class.
    NoNodeWithClass {
        /// Its class; empty, if it has none.
        executor_class: ExecutorClass,
    },
    /// The next loss would be its last, so that it waits for a node that runs nothing else.
    LastChance {
        /// Losses in a row.
        crashes: u32,
    },
    /// Others come before it in its lane.
    Behind {
        /// How many.
        jobs: u32,
        /// Whether there are more that were not counted.
        more: bool,
    },
    /// Nothing keeps it back: it is the next one of its lane, and starts when a slot is free.
    Next,
}

/// A node as far as a job's whereabouts go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnNode {
    /// Its id.
    pub node_id: Option<NodeId>,
    /// Its name, if it is known still.
    pub name: Option<String>,
}

/// What the last attempt came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the fields are columns of job_runs")]
pub struct LastRun {
    pub run_id: RunId,
    pub attempt: u32,
    pub outcome: Outcome,
    pub error_class: Option<ErrorClass>,
    pub error_message: Option<String>,
    pub finished_at: Option<Timestamp>,
}

impl Client {
    /// Why a job does not run, or that it does; nothing, if there is no such job. Of the jobs that come before it in its
    /// lane, a thousand are counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn why(&self, job: JobId) -> Result<Option<Why>> {
        let Some(job) = self.store.job(job).await? else { return Ok(None) };
        self.why_of(&job).await.map(Some)
    }

    /// As [`Client::why`], of a job that was read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn why_of(&self, job: &JobRecord) -> Result<Why> {
        let now = self.clock.now();
        let due = job.scheduled_at <= now;
        Ok(match job.state {
            JobState::Succeeded | JobState::Cancelled | JobState::Discarded => {
                Why::Ended { state: job.state, at: job.finalized_at }
            }
            JobState::Running => {
                let run = self.store.last_run(job.id).await?;
                where_it_runs(job, run.as_ref(), &self.store.nodes().await?, now)
            }
            JobState::Paused => Why::Paused,
            JobState::Scheduled | JobState::Retryable if due => {
                let alive = self.store.nodes().await?.iter().any(|node| node.is_alive(now));
                if alive { Why::Due { since: job.scheduled_at } } else { Why::NoNode }
            }
            JobState::Scheduled => Why::Later { at: job.scheduled_at },
            JobState::Retryable => {
                let after = self.store.last_run(job.id).await?.map(LastRun::of);
                Why::Retry { at: job.scheduled_at, after }
            }
            JobState::Available => self.why_available(job, now).await?,
        })
    }

    async fn why_available(&self, job: &JobRecord, now: Timestamp) -> Result<Why> {
        if self.store.paused_queues().await?.contains(&job.queue) {
            return Ok(Why::QueuePaused { queue: job.queue.clone() });
        }
        if self.store.kind(&job.kind).await?.is_some_and(|kind| kind.paused) {
            return Ok(Why::KindPaused { kind: job.kind.clone() });
        }
        if let Some(by) = &job.blocked_by {
            return Ok(Why::Blocked { by: by.clone(), key: job.limit_key.clone() });
        }
        if let Some(lacking) = lacking(job, &self.store.nodes().await?, now) {
            return Ok(lacking);
        }
        if job.last_chance {
            return Ok(Why::LastChance { crashes: job.crashes });
        }
        let Ahead { jobs, more } = self.store.ahead(job, COUNTED).await?;
        Ok(if jobs == 0 { Why::Next } else { Why::Behind { jobs, more } })
    }
}

fn where_it_runs(job: &JobRecord, run: Option<&RunRecord>, nodes: &[NodeRecord], now: Timestamp) -> Why {
    let node = nodes.iter().find(|node| Some(node.id) == job.node_id);
    let on = OnNode { node_id: job.node_id, name: node.map(|node| node.name.clone()) };
    let since = run.map(|run| run.started_at);
    if node.is_some_and(|node| node.is_alive(now)) {
        return Why::Runs { on, since, cancel_requested_at: job.cancel_requested_at };
    }
    Why::NodeGone { on, since }
}

/// What none of the living nodes has that would have to run the job.
fn lacking(job: &JobRecord, nodes: &[NodeRecord], now: Timestamp) -> Option<Why> {
    let alive: Vec<&NodeRecord> = nodes.iter().filter(|node| node.is_alive(now)).collect();
    if alive.is_empty() {
        return Some(Why::NoNode);
    }
    let able: Vec<_> = alive.into_iter().filter(|node| node.has_kind(&job.kind)).collect();
    if able.is_empty() {
        return Some(Why::NoNodeWithKind { kind: job.kind.clone() });
    }
    let able: Vec<_> = able.into_iter().filter(|node| node.serves_queue(&job.queue)).collect();
    if able.is_empty() {
        return Some(Why::NoNodeWithQueue { queue: job.queue.clone() });
    }
    let able = able.into_iter().any(|node| node.serves_class(&job.executor_class));
    (!able).then(|| Why::NoNodeWithClass { executor_class: job.executor_class.clone() })
}

impl LastRun {
    fn of(run: RunRecord) -> Self {
        let RunRecord { id, attempt, outcome, error_class, error_message, finished_at, .. } = run;
        Self { run_id: id, attempt, outcome, error_class, error_message, finished_at }
    }
}

impl fmt::Display for OnNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.node_id) {
            (Some(name), _) => write!(f, "the node {}", one_line(name)),
            (None, Some(id)) => write!(f, "the node {id}"),
            (None, None) => f.write_str("a node"),
        }
    }
}

impl fmt::Display for LastRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempt, outcome, error_class, error_message, .. } = self;
        write!(f, "attempt {attempt} ended as {outcome}")?;
        if let Some(class) = error_class.filter(|class| class.as_str() != outcome.as_str()) {
            write!(f, " ({class})")?;
        }
        error_message.as_ref().map_or(Ok(()), |message| write!(f, ": {}", one_line(message)))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "some time".into(), |at| at.to_string());
        match self {
            Self::Ended { state, at } => write!(f, "it has ended: {state} at {}", time(*at)),
            Self::Runs { on, since, cancel_requested_at } => {
                write!(f, "it runs on {on} since {}", time(*since))?;
                cancel_requested_at.map_or(Ok(()), |at| write!(f, ", which was asked at {at} to stop it"))
            }
            Self::NodeGone { on, since } => {
                let since = time(*since);
                write!(f, "it ran on {on} since {since}, which is gone: it is taken back and tried again")
            }
            Self::Paused => f.write_str("it is paused: `flyball jobs resume` lets it go on"),
            Self::Later { at } => write!(f, "it is due at {at}"),
            Self::Retry { at, after } => {
                write!(f, "its next attempt is due at {at}")?;
                after.as_ref().map_or(Ok(()), |after| write!(f, ": {after}"))
            }
            Self::Due { since } => {
                write!(f, "it is due since {since}, and a node makes it available when it looks next")
            }
            Self::QueuePaused { queue } => {
                write!(f, "its queue {queue} is paused: `flyball queues resume {queue}`")
            }
            Self::KindPaused { kind } => {
                write!(f, "its kind {kind} is paused: `flyball kinds resume {kind}`")
            }
            Self::Blocked { by, key } => {
                write!(f, "the limit {} keeps it back", one_line(by))?;
                key.as_ref().map_or(Ok(()), |key| write!(f, ", for the key {}", one_line(key)))
            }
            Self::NoNode => f.write_str("no node is alive: `flyball serve` starts one"),
            Self::NoNodeWithKind { kind } => {
                write!(
                    f,
                    "no living node has the kind {kind}: put {kind}.wasm into the plugins folder of one"
                )
            }
            Self::NoNodeWithQueue { queue } => {
                write!(f, "no living node that has its kind serves the queue {queue}")
            }
            Self::NoNodeWithClass { executor_class: class } if class.as_str().is_empty() => {
                f.write_str("no living node that has its kind and queue serves jobs without a class")
            }
            Self::NoNodeWithClass { executor_class: class } => {
                write!(f, "no living node that has its kind and queue serves the class {class}")
            }
            Self::LastChance { crashes } => {
                write!(f, "it was lost {crashes} times, and waits for a node that runs nothing else")
            }
            Self::Behind { jobs, more } => {
                let more = if *more { "more than " } else { "" };
                write!(f, "{more}{jobs} jobs of its lane come before it")
            }
            Self::Next => f.write_str("it is the next one of its lane, and starts when a slot is free"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each reason once.
    fn reasons() -> Vec<Why> {
        let at = Timestamp::from_micros(1_700_000_000_000_000);
        let on = OnNode { node_id: None, name: Some("ada".into()) };
        let after = LastRun {
            run_id: RunId::floor(at),
            attempt: 3,
            outcome: Outcome::Error,
            error_class: Some(ErrorClass::Transient),
            error_message: Some("out of\npaint".into()),
            finished_at: Some(at),
        };
        let (kind, queue) = (Kind::stored("paint"), Queue::stored("mail"));
        let class = |name| Why::NoNodeWithClass { executor_class: ExecutorClass::stored(name) };
        vec![
            Why::Ended { state: JobState::Discarded, at: Some(at) },
            Why::Runs { on: on.clone(), since: Some(at), cancel_requested_at: Some(at) },
            Why::NodeGone { on, since: Some(at) },
            Why::Paused,
            Why::Later { at },
            Why::Retry { at, after: Some(after) },
            Why::Due { since: at },
            Why::QueuePaused { queue: queue.clone() },
            Why::KindPaused { kind: kind.clone() },
            Why::Blocked { by: "per-tenant".into(), key: Some("acme".into()) },
            Why::NoNode,
            Why::NoNodeWithKind { kind },
            Why::NoNodeWithQueue { queue },
            class(""),
            class("gpu"),
            Why::LastChance { crashes: 2 },
            Why::Behind { jobs: 1000, more: true },
            Why::Next,
        ]
    }

    #[test]
    fn every_reason_is_one_sentence() {
        let sentences: Vec<_> = reasons().iter().map(ToString::to_string).collect();
        assert!(sentences.iter().all(|sentence| !sentence.contains('\n')));
        insta::assert_snapshot!(sentences.join("\n"), @r"
        it has ended: discarded at 2023-11-14T22:13:20.000000Z
        it runs on the node ada since 2023-11-14T22:13:20.000000Z, which was asked at 2023-11-14T22:13:20.000000Z to stop it
        it ran on the node ada since 2023-11-14T22:13:20.000000Z, which is gone: it is taken back and tried again
        it is paused: `flyball jobs resume` lets it go on
        it is due at 2023-11-14T22:13:20.000000Z
        its next attempt is due at 2023-11-14T22:13:20.000000Z: attempt 3 ended as error (transient): out of\npaint
        it is due since 2023-11-14T22:13:20.000000Z, and a node makes it available when it looks next
        its queue mail is paused: `flyball queues resume mail`
        its kind paint is paused: `flyball kinds resume paint`
        the limit per-tenant keeps it back, for the key acme
        no node is alive: `flyball serve` starts one
        no living node has the kind paint: put paint.wasm into the plugins folder of one
        no living node that has its kind serves the queue mail
        no living node that has its kind and queue serves jobs without a class
        no living node that has its kind and queue serves the class gpu
        it was lost 2 times, and waits for a node that runs nothing else
        more than 1000 jobs of its lane come before it
        it is the next one of its lane, and starts when a slot is free
        ");
    }
}

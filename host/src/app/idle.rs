//! Running until idle: until nothing is left that this node would run, now or soon, without anybody's help.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::{Node, Stopped};
use crate::event::{Event, Events};
use crate::plugin::Catalog;
use crate::runner::RunnerConfig;
use crate::store::{Classes, Waiting};

/// A job that this node has begun, or that failed, is waited for if it comes back so soon: the backoff that nobody changed
/// never takes longer.
pub(crate) const COMES_BACK_WITHIN: Duration = Duration::from_secs(120);
/// What ends together is looked at once.
const GATHER: Duration = Duration::from_millis(20);

/// Counts attempts that ended, and wakes whoever waits for the last of them. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Endings(Arc<(AtomicU64, Notify)>);

impl Endings {
    pub(super) fn of(events: &Events) -> Self {
        let endings = Self::default();
        let told = endings.clone();
        events.record(move |event| {
            if matches!(event, Event::JobFinished(_) | Event::JobSuperseded { .. }) {
                told.0.0.fetch_add(1, Ordering::AcqRel);
                told.0.1.notify_one();
            }
        });
        endings
    }

    fn count(&self) -> u64 {
        self.0.0.load(Ordering::Acquire)
    }
}

impl Node {
    /// Works until nothing is left for it, then drains, as if it had been told to.
    ///
    /// Nothing is left when every file of the plugins folder was taken or refused, no attempt runs on this node, and
    /// there is no job that one of its runners would take (of its kinds, queues and classes, none of them paused) and
    /// that is available, or due, or has begun and comes back within two minutes: a retry in backoff, a snooze. What it
    /// has begun it brings to an end; what is only to begin later is left to others, and so is what comes back later,
    /// what runs on other nodes, and what waits for someone: paused jobs, kinds that nobody has. A node without a runner
    /// is idle at once.
    pub async fn run_until_idle(self) -> Stopped {
        self.run_until_idle_within(COMES_BACK_WITHIN).await
    }

    /// As [`Node::run_until_idle`], waiting for what comes back within this span.
    pub async fn run_until_idle_within(self, span: Duration) -> Stopped {
        let died = tokio::select! {
            () = self.stopper.drained() => None,
            name = self.supervisor.essential_died() => Some(name),
            () = self.idle(span) => {
                tracing::info!("nothing is left to run");
                None
            }
        };
        self.drain(died).await
    }

    /// Waits until nothing is left. It asks the store when an attempt was the last one, and once a poll interval.
    async fn idle(&self, span: Duration) {
        let Some(work) = &self.work else { return };
        let mut settled = work.plugins.settled();
        // The service that settles them is restarted for ever; the sender lives as long as `work`.
        let _settled = settled.wait_for(|settled| *settled).await.is_ok();
        loop {
            let ended = self.endings.count();
            if self.member.is_idle() && *settled.borrow() && !self.would_run(span).await {
                // An attempt that came and went meanwhile may have left others.
                if self.member.is_idle() && ended == self.endings.count() {
                    return;
                }
            }
            tokio::select! {
                () = self.endings.0.1.notified() => self.clock.sleep(GATHER).await,
                () = self.clock.sleep(self.poll_interval) => {}
            }
        }
    }

    async fn would_run(&self, span: Duration) -> bool {
        let Some(work) = &self.work else { return false };
        let now = self.clock.now();
        match self.store.waiting(now, now.after(span)).await {
            Ok(waiting) => {
                let catalog = work.plugins.catalog().borrow().clone();
                waiting.iter().any(|lane| takes(&work.runners, &catalog, lane))
            }
            Err(error) => {
                tracing::warn!(%error, "could not look for what is left to run");
                true
            }
        }
    }
}

/// Whether one of the runners takes from the lane.
fn takes(runners: &[RunnerConfig], catalog: &Catalog, lane: &Waiting) -> bool {
    let of_runner = |runner: &RunnerConfig| {
        let queue = runner.queues.is_empty() || runner.queues.iter().any(|served| served.queue == lane.queue);
        let class = match &runner.classes {
            Classes::Every => true,
            Classes::Only(classes) => classes.contains(&lane.executor_class),
        };
        queue && class
    };
    catalog.get(&lane.kind).is_some() && runners.iter().any(of_runner)
}

//! The order of shutdown, written once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Node;
use super::health::Stage;
use crate::sandbox::StopCause;

/// After the last attempt was interrupted, its outcome has so long to become durable.
const LAST_OUTCOMES: Duration = Duration::from_secs(10);

/// When everything is durable, other services have so long to end what they are in the middle of.
const STRAGGLERS: Duration = Duration::from_secs(5);

/// Stops a node, from anywhere. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stopper {
    drain: CancellationToken,
    interrupt: CancellationToken,
}

impl Stopper {
    /// Stop claiming, finish what runs, within the drain time-out.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Do not wait: interrupt what runs.
    pub fn interrupt(&self) {
        self.drain.cancel();
        self.interrupt.cancel();
    }

    pub(super) async fn drained(&self) {
        self.drain.cancelled().await;
    }
}

/// How a node stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Everything that ran was finished.
    Clean,
    /// So many attempts had to be interrupted, and were given back.
    Interrupted(u64),
    /// Some outcomes could not be stored; their jobs will run again.
    Unstored(u32),
    /// This essential service was dead; the node drained.
    Died(&'static str),
}

impl Node {
    /// Stops claiming, finishes or gives back what runs, leaves, and stops everything else; the server that answers
    /// probes last.
    pub(super) async fn drain(mut self, died: Option<&'static str>) -> Stopped {
        tracing::info!(running = self.member.busy(), "draining");
        self.health.enter(Stage::Draining);
        let before = self.released.load(Ordering::Relaxed);
        // Told, and not waited for: an interrupt is heeded from here on, whatever they are in the middle of.
        self.supervisor.tell(&["promoter", "sweeper", "plugins"]);
        self.supervisor.tell(&self.own);
        self.member.ask_for_good(StopCause::Drain, self.drain_timeout);
        self.wait_for_attempts().await;
        self.supervisor.stop(&["finalizer"]).await;
        if let Some(work) = &self.work {
            work.handle.offer_what_is_left().await;
        }
        let unstored = self.member.busy();
        // A renewal that came after the leave would enter the node once more.
        self.supervisor.stop(&["lease"]).await;
        if let Err(error) = self.store.leave(self.member.lease().node(), self.clock.now()).await {
            tracing::warn!(%error, "the node could not sign off; its lease will run out");
        }
        self.stop_the_rest().await;
        let interrupted = self.released.load(Ordering::Relaxed) - before;
        match (died, unstored, interrupted) {
            (Some(name), ..) => Stopped::Died(name),
            (None, 0, 0) => Stopped::Clean,
            (None, 0, interrupted) => Stopped::Interrupted(interrupted),
            (None, unstored, _) => Stopped::Unstored(unstored),
        }
    }

    /// Waits until the claim that is under way was answered and no attempt is left, for as long as attempts may take.
    async fn wait_for_attempts(&mut self) {
        let member = self.member.clone();
        let ended = async {
            self.supervisor.stop(&["claimer"]).await;
            member.idle().await;
        };
        tokio::pin!(ended);
        tokio::select! {
            () = &mut ended => return,
            () = self.stopper.interrupt.cancelled() => {
                self.member.ask_for_good(StopCause::Drain, Duration::ZERO);
            }
            () = self.clock.sleep(self.drain_timeout) => {}
        }
        tokio::select! {
            () = ended => {}
            () = self.clock.sleep(LAST_OUTCOMES) => {}
        }
    }

    async fn stop_the_rest(&mut self) {
        let mut rest =
            vec!["promoter", "sweeper", "plugins", "cancels", "progress", "publisher", "health", "checks"];
        rest.append(&mut self.own);
        rest.push("log");
        rest.append(&mut self.observers);
        tokio::select! {
            () = self.supervisor.stop(&rest) => {}
            () = self.clock.sleep(STRAGGLERS) => {
                tracing::warn!("some services did not stop in time, and are left to the end of the process");
            }
        }
        self.store.close().await;
        self.supervisor.stop_all().await;
    }
}

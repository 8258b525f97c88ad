//! The threads that guests run on, and nothing else: a guest that computes never delays a renewal or an answer.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use super::SandboxError;

/// A runtime of its own. Dropping it never waits: guests still running are dropped where they next yield.
pub(super) struct GuestThreads(Option<Runtime>);

impl GuestThreads {
    pub(super) fn start(threads: usize) -> Result<Self, SandboxError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("flyball-guest")
            // A guest holds its thread for up to a tick: look for new ones, and at the timers, after every few.
            .global_queue_interval(2)
            .event_interval(2)
            .max_blocking_threads(4)
            .enable_all()
            .build()
            .map_err(|cause| SandboxError { doing: "starting the guest threads", cause: cause.into() })?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a task there; it stops when the answer is dropped.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<Running<T>> {
        self.0.as_ref().map(|runtime| Running(runtime.spawn(task)))
    }

    /// Runs what blocks, beside the guests: on few threads, so that it neither takes theirs nor all of the machine.
    pub(super) fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<Running<T>> {
        self.0.as_ref().map(|runtime| Running(runtime.spawn_blocking(work)))
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A task on the guest threads. Dropping it stops the task.
pub(super) struct Running<T>(JoinHandle<T>);

impl<T> Running<T> {
    /// The end of the task; `None` if it panicked or its threads are going away.
    pub(super) async fn ended(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

impl<T> Drop for Running<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

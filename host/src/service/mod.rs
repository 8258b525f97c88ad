//! Supervision: a node's services are started, watched, restarted after a panic or an error, and reported on.
//!
//! An *essential* service that ends is restarted too, but one that keeps dying takes the node with it: the node drains
//! and exits. An *auxiliary* one is restarted for ever, and the node is *degraded* meanwhile.

mod report;
mod supervisor;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use report::{Report, ServiceEvent, Status};
pub use supervisor::Supervisor;

/// Why a service ended before it was told to.
pub type ServiceError = Box<dyn std::error::Error + Send + Sync>;

/// One execution of a service.
pub type Execution = Pin<Box<dyn Future<Output = Result<(), ServiceError>> + Send>>;

/// How much a node depends on a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Without it the node can't do its work: dead for good, the node drains.
    Essential,
    /// The node goes on without it, degraded, and it is restarted for ever.
    Auxiliary,
}

/// A service, before it is started.
pub struct Service {
    name: &'static str,
    importance: Importance,
    deferred: Duration,
    run: Box<dyn Fn(CancellationToken) -> Execution + Send + Sync>,
}

impl Service {
    /// A service that runs until its token is cancelled. `run` is called anew for every execution; one that returns
    /// before it was told to is restarted.
    pub fn new<F, E>(
        name: &'static str,
        importance: Importance,
        run: impl Fn(CancellationToken) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ServiceError>,
    {
        let run = move |token| -> Execution {
            let execution = run(token);
            Box::pin(async move { execution.await.map_err(Into::into) })
        };
        Self { name, importance, deferred: Duration::ZERO, run: Box::new(run) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Starts only after a delay.
    #[must_use]
    pub fn deferred(self, delay: Duration) -> Self {
        Self { deferred: delay, ..self }
    }
}

//! What a guest may ask of the queue. The sandbox owns the trait; whoever runs attempts implements it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Outside;
use crate::job::{ChildRecord, LogRecord, NewJob};

/// The way out of one attempt. Called on guest threads: nothing here may block, and what waits for others does so on
/// threads of its own. An attempt that is over waits no longer.
#[async_trait]
pub trait Ports: Send + Sync {
    /// Whether the node still holds its lease. Asked at every epoch tick and every host call.
    fn holds_lease(&self) -> bool;

    /// Turns a wish into a job, or refuses. The sandbox keeps the job until the attempt completes, and drops it if it
    /// does not; it also keeps count.
    ///
    /// # Errors
    /// [`Refusal`] is handed to the guest as it is.
    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal>;

    /// Takes progress, `fraction` within 0…1. Called at most ten times a second for an attempt; the last one wins.
    fn progress(&self, fraction: f64, note: Option<&str>);

    /// Takes a checkpoint, as often as the guest likes; the last one wins. The sandbox hands in the last one once more
    /// with the end of the attempt.
    fn save_checkpoint(&self, data: Arc<[u8]>);

    /// Reads the checkpoint of an earlier attempt.
    ///
    /// # Errors
    /// [`Unread`] ends the attempt.
    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread>;

    /// Reads some of the jobs that this one continues, from `offset` on.
    ///
    /// # Errors
    /// [`Unread`] ends the attempt.
    async fn children(&self, offset: u32, limit: u32) -> Result<Vec<ChildRecord>, Unread>;

    /// Hears a line of the guest's log at once. The sandbox keeps the log itself, within its bounds.
    fn log(&self, line: &LogRecord);

    /// Where its HTTP requests go; `None`: they are denied.
    fn outside(&self) -> Option<Arc<dyn Outside>> {
        None
    }
}

/// A job that a guest wants to follow its own, as it gave it: unchecked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are those of the record `follow-up` of the worker contract")]
pub struct FollowUpRequest {
    pub kind: String,
    pub args: String,
    pub queue: Option<String>,
    pub priority: Option<u16>,
    pub delay: Option<Duration>,
    pub unique_key: Option<String>,
    pub unique_active_key: Option<String>,
    pub max_attempts: Option<u32>,
    pub executor_class: Option<String>,
    pub tags: Vec<String>,
}

/// Why a wish was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The kind has no grant for it.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// More than an attempt may ask for.
    #[error("too many: {0}")]
    TooMany(String),
    /// Not a job.
    #[error("invalid: {0}")]
    Invalid(String),
}

/// What a guest asked for is there, and can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unread(pub String);

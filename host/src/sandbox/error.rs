//! Why a sandbox does not start, and why a component is not taken as a worker.

/// The sandbox can't start.
#[derive(Debug, thiserror::Error)]
#[error("starting the sandbox: {doing}")]
pub struct SandboxError {
    pub(super) doing: &'static str,
    #[source]
    pub(super) cause: anyhow::Error,
}

/// A component is not taken as a worker. The text says what was wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The bytes end too early: somebody may still be writing them.
    #[error("{0}")]
    Incomplete(String),
    /// It will not be taken until it changes.
    #[error("{0}")]
    Refused(String),
    /// The compiled code was not made by this engine: compile again.
    #[error("{0}")]
    StaleCode(String),
    /// The node was too full to try it: try again later.
    #[error("{0}")]
    NoRoom(String),
}

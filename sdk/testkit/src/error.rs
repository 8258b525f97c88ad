//! What goes wrong for whoever tests a worker.

use flyball::job::{JsonError, NameError};
use flyball::sandbox::SandboxError;

/// Why a worker could not be tried. That an attempt failed is no error: it is told by [`crate::Ended`].
#[derive(Debug, thiserror::Error)]
pub enum TestKitError {
    /// This machine can't run workers.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file or folder can't be used.
    #[error("{doing}: {source}")]
    File {
        /// What was being done.
        doing: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// The worker does not build.
    #[error("{0}")]
    Build(String),
    /// The component, or its manifest, is refused as a node would refuse it.
    #[error("{0}")]
    Refused(String),
    /// A name is not one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Args or metadata can't be those of a job.
    #[error("{what}: {source}")]
    Json {
        /// Which.
        what: &'static str,
        /// Why not.
        source: JsonError,
    },
    /// A time is not one.
    #[error("{0:?} is no time: write it as 2030-01-31T12:00:00Z")]
    Time(String),
    /// The kit itself failed.
    #[error("the attempt was lost: {0}")]
    Lost(String),
}

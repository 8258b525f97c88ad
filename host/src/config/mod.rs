//! Being told: the configuration of a program, from a file, the environment and flags, each overriding the one before.
//!
//! Every module owns the type of its own configuration; [`Config`] composes them. The environment is read here only.

mod ambient;
mod args;
mod compose;
mod file;
mod limit;
mod node;
mod rate;
mod retention;
mod schedule;
mod settings;
mod value;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

pub(crate) use ambient::cache_folder;
pub use args::{Globals, ServeArgs};
pub(crate) use compose::{LEAST_GUEST_MEMORY, MOST_CONCURRENCY};
pub use node::{Maintenance, NodeConfig};
pub use rate::Written as WrittenRate;
pub use settings::{CommonSettings, NodeSettings};
pub use value::{AllocatorName, ClassName, Delays, Listen, QueueChoice};

use crate::job::{Limit, RetentionPolicy};
use crate::plugin::{DocumentError, PluginsConfig};
use crate::sandbox::SandboxConfig;
use crate::store::Synchronous;
use crate::telemetry::LogConfig;
use crate::timing::Schedule;

/// Everything that a program is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// Where jobs are remembered: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// How hard SQLite makes a commit stick.
    pub synchronous: Synchronous,
    /// Where HTTP is answered; nowhere, if there is none.
    pub listen: Option<SocketAddr>,
    /// Where workers come from.
    pub plugins: PluginsConfig,
    /// How they are run.
    pub sandbox: SandboxConfig,
    /// How the node takes and holds its work.
    pub node: NodeConfig,
    /// What is enqueued by the clock; `None` if there is no file that could say.
    pub schedules: Option<Vec<Schedule>>,
    /// How many jobs run at once, or start in a time, over all nodes; `None` if there is no file that could say.
    pub limits: Option<Vec<Limit>>,
    /// How long what has ended is kept.
    pub retention: RetentionPolicy,
    /// What is logged.
    pub log: LogConfig,
    /// What was probably not meant as it was said. Nothing was ignored that is one of our keys.
    pub remarks: Vec<String>,
}

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("reading the configuration {}: {source}", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A variable of the environment is wrong.
    #[error("reading the environment: {0}")]
    Environment(#[from] clap::Error),
    /// A value is out of its range, wherever it was said.
    #[error("{key}: {problem}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What is wrong, and what it may be.
        problem: String,
    },
}

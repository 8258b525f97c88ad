//! Being told: the configuration of a program, from a file, the environment and flags, each overriding the one before.
//!
//! Every module owns the type of its own configuration; [`Config`] composes them. The environment is read here only.

mod log;
mod node;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use log::{LogConfig, LogFormat};
pub use node::{Maintenance, NodeConfig};

use crate::plugin::PluginsConfig;
use crate::sandbox::SandboxConfig;

/// Everything that a program is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
    /// Where jobs are remembered: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// How SQLite treats a power loss.
    pub synchronous: Synchronous,
    /// Where HTTP is answered; nowhere, if there is none.
    pub listen: Option<SocketAddr>,
    /// Where workers come from.
    pub plugins: PluginsConfig,
    /// How they are run.
    pub sandbox: SandboxConfig,
    /// How the node takes and holds its work.
    pub node: NodeConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// How much SQLite does for what it committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// It survives a power loss.
    #[default]
    Full,
    /// It survives a crash of the process; the last moments may be lost with the power.
    Normal,
}

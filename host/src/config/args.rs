//! What flags and the environment say. Both are read by clap, in one go: a flag goes before its variable.

use std::path::PathBuf;

use clap::{Args, Command, FromArgMatches as _};

use super::settings::{CommonSettings, NodeSettings};
use super::value::{Listen, QueueChoice};

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Globals {
    /// The configuration file [default: flyball.toml in the working directory, if there is one]
    #[arg(long, env = "FLYBALL_CONFIG", global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: CommonSettings,
}

/// Flags of `serve`; other commands know them from the environment and the file only.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// Where HTTP is answered, or none [default: 127.0.0.1:8484]
    #[arg(long, env = "FLYBALL_LISTEN", value_name = "ADDR")]
    pub(super) listen: Option<Listen>,
    /// A queue to take from, with the most attempts of it at once, and its weight where it competes with others;
    /// repeatable [default: every queue, each with a weight of 1]
    #[arg(long, env = "FLYBALL_QUEUE", value_name = "NAME[=N][:W]", value_delimiter = ',')]
    pub(super) queue: Vec<QueueChoice>,
    #[command(flatten)]
    pub(super) node: NodeSettings,
}

impl ServeArgs {
    /// What the environment says, for commands that do not have these flags.
    ///
    /// # Errors
    /// When a variable does not say what it should.
    pub fn from_environment() -> Result<Self, clap::Error> {
        let command = Self::augment_args(Command::new("the environment"));
        let matches = command.try_get_matches_from(["flyball"])?;
        Self::from_arg_matches(&matches)
    }
}

/// The variables that mean something.
pub(super) fn known_variables() -> Vec<String> {
    let command = ServeArgs::augment_args(Globals::augment_args(Command::new("flyball")));
    let names = command.get_arguments().filter_map(|argument| argument.get_env());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

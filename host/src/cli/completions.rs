//! `flyball completions`: what a shell needs to complete our commands.

use std::io::{self, Write as _};

use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;
use crate::config::Globals;

/// Prints a completion script.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Writes the script for the whole command line.
    ///
    /// # Errors
    /// When standard output can't be written to.
    pub async fn run(self, _globals: &Globals) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "flyball", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Exit::Done)
    }
}

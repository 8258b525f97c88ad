//! `flyball completions`: what a shell needs to complete our commands.

use std::io::{self, Write as _};

use anyhow::Result;
use clap_complete::Shell;

use super::exit::Exit;

/// Prints a completion script.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    /// Writes the script for the whole command line, which the caller knows.
    ///
    /// # Errors
    /// When standard output can't be written to.
    pub(super) async fn run(self, mut command: clap::Command) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "flyball", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Exit::Done)
    }
}

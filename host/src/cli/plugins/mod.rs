//! `flyball plugins …`: the folder as a node would see it, without a node.

mod check;
mod describe;
mod list;
mod retry;

use anyhow::Result;

use super::exit::Exit;
use crate::clock::Clock;
use crate::config::{Config, Globals};
use crate::event::Events;
use crate::sandbox::Sandbox;

/// Looks after workers.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Plugins {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// What is in the plugins folder, and what would become of it
    List(list::List),
    /// What components import, want and are granted, before they run any job
    Check(check::Check),
    /// What is to know of the worker for a kind
    Describe(describe::Describe),
    /// Try a worker again that did not compile
    Retry(retry::Retry),
}

impl Plugins {
    /// Carries out the subcommand.
    ///
    /// # Errors
    /// When the configuration is wrong, or the sandbox does not start.
    pub(super) async fn run(self, globals: &Globals) -> Result<Exit> {
        let config = Config::load_common(globals)?;
        match self.command {
            Verb::List(list) => list.run(config).await,
            Verb::Check(check) => check.run(config).await,
            Verb::Describe(describe) => describe.run(config).await,
            Verb::Retry(retry) => retry.run(config).await,
        }
    }
}

/// The same loader that a node has, with nobody to tell.
fn open(config: Config) -> Result<crate::plugin::Plugins> {
    let clock = Clock::system();
    let sandbox = Sandbox::start(config.sandbox, clock.clone())?;
    Ok(crate::plugin::Plugins::open(config.plugins, sandbox, clock, Events::default()))
}

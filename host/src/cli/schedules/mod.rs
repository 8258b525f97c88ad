//! `flyball schedules`.

mod add;
mod change;
mod list;
mod preview;

use super::connect::with_client;
use super::{Exit, Globals};
use crate::job::Slug;

/// Look at schedules, and change them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Schedules {
    /// The schedules, by name.
    List(list::List),
    /// Add a schedule, or change the one of this name.
    Add(Box<add::Add>),
    /// Remove a schedule; its jobs stay.
    Remove(change::Change),
    /// Take a schedule into service: what it missed meanwhile is not made up for.
    Enable(change::Change),
    /// Take a schedule out of service, until it is enabled.
    Disable(change::Change),
    /// Enqueue a job of a schedule at once, and print its id.
    Run(change::Change),
    /// The next times at which an expression fires. Needs no database.
    Preview(preview::Preview),
}

impl Schedules {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        if let Self::Preview(preview) = self {
            return preview.run();
        }
        with_client(globals, async |client| match self {
            Self::List(list) => list.run(client).await,
            Self::Add(add) => add.run(client).await,
            Self::Remove(change) => change.remove(client).await,
            Self::Enable(change) => change.enable(client).await,
            Self::Disable(change) => change.disable(client).await,
            Self::Run(change) => change.run(client).await,
            Self::Preview(preview) => preview.run(),
        })
        .await
    }
}

fn not_found(slug: &Slug) -> Exit {
    eprintln!("error: there is no schedule {slug}; `flyball schedules list` names those that there are");
    Exit::NotFound
}

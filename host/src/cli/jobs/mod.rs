//! `flyball jobs`.

mod change;
mod list;
mod logs;
mod show;

use super::connect::with_client;
use super::{Exit, Globals};
use crate::job::JobId;

/// Look at jobs, retry and cancel them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Jobs {
    /// A page of jobs, newest first.
    List(list::List),
    /// One job with its runs, newest first.
    Show(show::Show),
    /// What the worker logged in a run: the newest, unless told which.
    Logs(logs::Logs),
    /// Make jobs available again, with their failures forgotten.
    Retry(change::Change),
    /// Cancel jobs: those that wait at once, those that run by their node.
    Cancel(change::Change),
}

impl Jobs {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| match self {
            Self::List(list) => list.run(client).await,
            Self::Show(show) => show.run(client).await,
            Self::Logs(logs) => logs.run(client).await,
            Self::Retry(change) => change.retry(client).await,
            Self::Cancel(change) => change.cancel(client).await,
        })
        .await
    }
}

fn not_found(id: JobId) -> Exit {
    eprintln!("error: there is no job {id}; it may have been deleted by retention");
    Exit::NotFound
}

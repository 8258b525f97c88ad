//! `flyball jobs`.

mod change;
mod choice;
mod failures;
mod list;
mod logs;
mod progress;
mod show;
mod told;

use super::connect::with_client;
use super::{Exit, Globals};
use crate::job::{JobId, Operation};

/// Look at jobs and change them.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Jobs {
    /// A page of jobs, newest first.
    List(list::List),
    /// One job with its runs, newest first.
    Show(show::Show),
    /// What the worker logged in a run: the newest, unless told which.
    Logs(logs::Logs),
    /// The newest failures, of jobs that were given up or wait for their next attempt.
    Failures(failures::Failures),
    /// How far the children of a job have come.
    Progress(progress::Progress),
    /// Make jobs available again, with their failures forgotten.
    Retry(change::Change),
    /// Cancel jobs: those that wait at once, those that run by their node.
    Cancel(change::Cancel),
    /// Set jobs aside that wait. What runs goes on.
    Pause(change::Change),
    /// Let jobs go on that were set aside: at once if they are due, else when they are.
    Resume(change::Change),
    /// Run jobs again that have ended, with their failures forgotten.
    Replay(change::ReplayArgs),
}

impl Jobs {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| match self {
            Self::List(list) => list.run(client).await,
            Self::Show(show) => show.run(client).await,
            Self::Logs(logs) => logs.run(client).await,
            Self::Failures(failures) => failures.run(client).await,
            Self::Progress(progress) => progress.run(client).await,
            Self::Retry(change) => change.run(client, Operation::Retry).await,
            Self::Cancel(cancel) => cancel.run(client).await,
            Self::Pause(change) => change.run(client, Operation::Pause).await,
            Self::Resume(change) => change.run(client, Operation::Resume).await,
            Self::Replay(replay) => replay.run(client).await,
        })
        .await
    }
}

fn not_found(id: JobId) -> Exit {
    eprintln!("error: there is no job {id}; it may have been deleted by retention");
    Exit::NotFound
}

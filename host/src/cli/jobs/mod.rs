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
    /// One job, why it does not run, and its runs, newest first.
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
    /// Give jobs that wait another priority. They keep their state and their time.
    Reprioritise(change::Reprioritise),
    /// Make jobs that wait due at another time. What waits for its next attempt, or is paused, stays so with the new time.
    Reschedule(change::Reschedule),
    /// Delete jobs that have ended, with their runs and logs. What a barrier or a continuation still needs is left alone.
    Delete(change::Change),
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
            Self::Reprioritise(reprioritise) => reprioritise.run(client).await,
            Self::Reschedule(reschedule) => reschedule.run(client).await,
            Self::Delete(change) => change.run(client, Operation::Delete).await,
        })
        .await
    }
}

fn not_found(id: JobId) -> Exit {
    eprintln!("error: there is no job {id}; it may have been deleted by retention");
    Exit::NotFound
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_help_says_what_can_be_done_to_jobs() {
        let mut program = crate::cli::Cli::command().term_width(100);
        let jobs = program.find_subcommand_mut("jobs").expect("it is there");
        let help = jobs.render_help().to_string();
        let (commands, _) = help.split_once("Options:").expect("options come last");
        insta::assert_snapshot!(commands, @r"
        Look at jobs and change them

        Usage: jobs <COMMAND>

        Commands:
          list          A page of jobs, newest first
          show          One job, why it does not run, and its runs, newest first
          logs          What the worker logged in a run: the newest, unless told which
          failures      The newest failures, of jobs that were given up or wait for their next attempt
          progress      How far the children of a job have come
          retry         Make jobs available again, with their failures forgotten
          cancel        Cancel jobs: those that wait at once, those that run by their node
          pause         Set jobs aside that wait. What runs goes on
          resume        Let jobs go on that were set aside: at once if they are due, else when they are
          replay        Run jobs again that have ended, with their failures forgotten
          reprioritise  Give jobs that wait another priority. They keep their state and their time
          reschedule    Make jobs that wait due at another time. What waits for its next attempt, or is
                        paused, stays so with the new time
          delete        Delete jobs that have ended, with their runs and logs. What a barrier or a
                        continuation still needs is left alone
          help          Print this message or the help of the given subcommand(s)
        ");
    }
}

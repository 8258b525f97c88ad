//! `flyball bench`: what a job costs on this machine and this database, measured on a node in this process.

mod backlog;
mod drain;
mod latency;
mod marks;
mod percentiles;
mod place;
mod retention;
mod setting;
mod stand;

use super::{Exit, Globals};

/// Measure what jobs cost on this machine and this database.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Bench {
    /// How soon a job starts, and ends, on an idle node.
    Latency(latency::Latency),
    /// How fast a node works off jobs that wait.
    Drain(drain::Drain),
    /// What a claim costs beside many rows that it can't take.
    Backlog(backlog::Backlog),
    /// Whether the tables stay as large as what they hold.
    Retention(retention::Retention),
}

impl Bench {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        match self {
            Self::Latency(latency) => latency.run(globals).await,
            Self::Drain(drain) => drain.run(globals).await,
            Self::Backlog(backlog) => backlog.run(globals).await,
            Self::Retention(retention) => retention.run(globals).await,
        }
    }
}

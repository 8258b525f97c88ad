//! Being called: one subcommand per file. Answers go to standard output, everything else to standard error.

/// Prints a line to standard output. A reader that has gone away (`| head`) is no error, and no panic.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _gone = writeln!(std::io::stdout(), $($words)*);
    }};
}

/// As [`say`], without the end of the line.
macro_rules! say_raw {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _gone = write!(std::io::stdout(), $($words)*);
    }};
}

mod actions;
mod bench;
pub mod build;
mod completions;
mod config_check;
mod connect;
mod demo;
mod doctor;
mod enqueue;
mod exit;
mod flags;
mod foreign;
mod jobs;
mod kinds;
mod limits;
mod migrate;
mod new;
mod nodes;
mod plugins;
mod prune;
mod queues;
mod record;
mod run;
mod runs;
mod schedules;
mod serve;
mod status;
mod table;
mod version;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use exit::Exit;

use crate::config::Globals;

/// A host for background jobs whose workers are WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "flyball", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node: claim jobs and run them until told to stop.
    Serve(Box<serve::Serve>),
    Demo(demo::Demo),
    /// Bring the database's schema up to date.
    Migrate(migrate::Migrate),
    /// Enqueue one job and print its id.
    Enqueue(Box<enqueue::Enqueue>),
    /// Look at jobs and change them.
    #[command(subcommand)]
    Jobs(Box<jobs::Jobs>),
    /// Look at the runs of jobs.
    #[command(subcommand)]
    Runs(runs::Runs),
    /// Look at queues, pause and resume them.
    #[command(subcommand)]
    Queues(queues::Queues),
    /// Look at kinds, pause and resume them.
    #[command(subcommand)]
    Kinds(kinds::Kinds),
    /// Look at limits, set and remove them.
    #[command(subcommand)]
    Limits(limits::Limits),
    /// Look at the nodes.
    #[command(subcommand)]
    Nodes(nodes::Nodes),
    /// Look at what operators ordered.
    #[command(subcommand)]
    Actions(actions::Actions),
    /// Look at schedules, add and change them.
    #[command(subcommand)]
    Schedules(schedules::Schedules),
    Prune(prune::Prune),
    /// Look at plugins and check them.
    Plugins(plugins::Plugins),
    /// Jobs by state, lanes that wait, nodes.
    Status(status::Status),
    Doctor(doctor::Doctor),
    Run(run::Run),
    #[command(subcommand)]
    Bench(Box<bench::Bench>),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write a new worker.
    New(new::New),
    /// Build a worker and put it into the plugins folder.
    Build(build::Build),
    /// Print the version.
    Version(version::Version),
    /// Print a completion script for a shell.
    Completions(completions::Completions),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the configuration, and show what it comes to.
    Check(Box<config_check::ConfigCheck>),
}

impl Cli {
    /// Carries out the command.
    ///
    /// # Errors
    /// Whatever went wrong, in words for whoever called.
    pub async fn run(self) -> anyhow::Result<Exit> {
        let globals = self.globals;
        match self.command {
            Command::Serve(command) => command.run(&globals).await,
            Command::Demo(command) => command.run(&globals).await,
            Command::Doctor(command) => command.run(&globals).await,
            Command::Run(command) => command.run(&globals).await,
            Command::Bench(command) => command.run(&globals).await,
            Command::Migrate(command) => command.run(&globals).await,
            Command::Enqueue(command) => command.run(&globals).await,
            Command::Jobs(command) => command.run(&globals).await,
            Command::Runs(command) => command.run(&globals).await,
            Command::Queues(command) => command.run(&globals).await,
            Command::Kinds(command) => command.run(&globals).await,
            Command::Limits(command) => command.run(&globals).await,
            Command::Actions(command) => command.run(&globals).await,
            Command::Nodes(command) => command.run(&globals).await,
            Command::Schedules(command) => command.run(&globals).await,
            Command::Prune(command) => command.run(&globals).await,
            Command::Plugins(command) => command.run(&globals).await,
            Command::Status(command) => command.run(&globals).await,
            Command::Config(ConfigCommand::Check(command)) => command.run(&globals).await,
            Command::New(command) => command.run().await,
            Command::Build(command) => command.run(&globals).await,
            Command::Version(command) => command.run(&globals).await,
            Command::Completions(command) => command.run(Self::command()).await,
        }
    }
}

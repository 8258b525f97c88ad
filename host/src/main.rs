//! The program `flyball`.

use std::process::ExitCode;

use clap::Parser as _;
use flyball::cli::{Cli, Exit};
use flyball::config::ConfigError;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            let exit = if error.is::<ConfigError>() { Exit::Usage } else { Exit::Failed };
            exit.into()
        }
    }
}

//! The real program: built once per test process, in the profile of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow};

use crate::{ambient, cargo, house, process};

static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// Where the program `flyball` is; builds it at the first call.
///
/// # Errors
/// When it does not compile.
pub fn path() -> Result<&'static Path> {
    let built = BINARY.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow!("no flyball to test: {error}"))
}

/// A command that runs the program with nothing of the settings in our own environment, and not beyond our end.
///
/// # Errors
/// When the program does not compile.
pub fn command() -> Result<Command> {
    let mut command = process::command(path()?);
    for name in ambient::settings_of_flyball() {
        command.env_remove(name);
    }
    Ok(command)
}

fn build() -> Result<PathBuf> {
    let (target, profile) = cargo::origin()?;
    let mut command = cargo::build(&house::root(), &target);
    // The whole workspace is chosen although one program is wanted: features are resolved for what is chosen, and with
    // others than the tests' own the engine of the sandbox would be compiled once more.
    command.args(["--workspace", "--bin", "flyball", "--profile", &profile]);
    let mut programs = cargo::artifacts(command)?.into_iter().filter_map(|artifact| artifact.executable);
    programs
        .find(|program| program.file_stem().is_some_and(|name| name == "flyball"))
        .context("cargo built no flyball")
}

#[cfg(test)]
mod tests {
    use crate::Home;

    #[tokio::test]
    async fn the_program_is_built_and_called_and_its_answer_told() {
        let ran = Home::sqlite().unwrap().run(&["version"]).await.unwrap();
        assert!(ran.code.is_some(), "{ran:?}");
        assert_eq!(ran.call, "flyball version");
    }
}

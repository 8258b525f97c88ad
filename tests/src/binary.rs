//! The real program, and the examples of the host: built once per test process, in the profile of the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow};

use crate::{ambient, cargo, house, process};

static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
static EXAMPLES: OnceLock<Result<Vec<PathBuf>, String>> = OnceLock::new();

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

/// Where an example of the host is; builds all of them at the first call.
///
/// # Errors
/// When they do not compile, or there is none of this name.
pub fn example(name: &str) -> Result<&'static Path> {
    let built =
        EXAMPLES.get_or_init(|| build_programs(&["--examples"]).map_err(|error| format!("{error:#}")));
    let built = built.as_ref().map_err(|error| anyhow!("no examples: {error}"))?;
    let named = |program: &&PathBuf| program.file_stem().is_some_and(|stem| stem == name);
    built.iter().find(named).map(PathBuf::as_path).with_context(|| format!("no example {name}"))
}

fn build() -> Result<PathBuf> {
    let programs = build_programs(&["--bin", "flyball"])?;
    let flyball = |program: &PathBuf| program.file_stem().is_some_and(|name| name == "flyball");
    programs.into_iter().find(flyball).context("cargo built no flyball")
}

fn build_programs(which: &[&str]) -> Result<Vec<PathBuf>> {
    let (target, profile) = cargo::origin()?;
    let mut command = cargo::build(&house::root(), &target);
    // The whole workspace is chosen although one program is wanted: features are resolved for what is chosen, and with
    // others than the tests' own the engine of the sandbox would be compiled once more.
    command.args(["--workspace", "--profile", &profile]).args(which);
    Ok(cargo::artifacts(command)?.into_iter().filter_map(|artifact| artifact.executable).collect())
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

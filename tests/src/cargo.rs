//! Building what the tests run, with the cargo that built the tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::ambient;

/// Something that cargo has made, or found fresh.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// The manifest of its package.
    pub(crate) manifest: PathBuf,
    /// The program, if it is one.
    pub(crate) executable: Option<PathBuf>,
    /// All its files.
    pub(crate) files: Vec<PathBuf>,
}

/// Where the running test was built: its target folder, and the profile's name.
pub(crate) fn origin() -> Result<(PathBuf, String)> {
    let test = std::env::current_exe().context("which program is this?")?;
    let profile = test.parent().and_then(Path::parent).context("a test outside of a target folder")?;
    let target = profile.parent().context("a profile outside of a target folder")?;
    let name = profile.file_name().unwrap_or_default().to_string_lossy();
    // The folder of the profile `dev` is called `debug`.
    let name = if name == "debug" { "dev".to_owned() } else { name.into_owned() };
    Ok((target.to_path_buf(), name))
}

/// Begins `cargo build` in a workspace.
pub(crate) fn build(workspace: &Path, target: &Path) -> Command {
    let cargo = ambient::variable("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(workspace).arg("build").arg("--target-dir").arg(target);
    command.arg("--message-format=json-render-diagnostics").stdin(Stdio::null()).stderr(Stdio::piped());
    for name in ambient::settings_of_cargo_for_a_test() {
        command.env_remove(name);
    }
    command
}

/// Runs a build, and gives what it made; what the compiler said is in the error when it fails.
pub(crate) fn artifacts(mut command: Command) -> Result<Vec<Artifact>> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed:\n{said}");
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(artifact).collect())
}

fn artifact(line: &str) -> Option<Artifact> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message.get("reason")? != "compiler-artifact" {
        return None;
    }
    let path = |value: &Value| value.as_str().map(PathBuf::from);
    Some(Artifact {
        manifest: path(message.get("manifest_path")?)?,
        executable: message.get("executable").and_then(path),
        files: message.get("filenames")?.as_array()?.iter().filter_map(path).collect(),
    })
}

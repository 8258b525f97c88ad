//! The workers that tests run: the samples of `plugins/` and the misbehaving ones of `tests/guests/`.
//!
//! Each is a workspace of its own, built when a test first asks for one of its workers, for the target of components
//! and into a folder beside the tests' own. It knows kinds and files, nothing of what a worker does.

pub mod foreign;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, anyhow, bail};

use crate::{cargo, house};

const TARGET: &str = "wasm32-wasip2";

static SAMPLES: OnceLock<Result<Vec<Guest>, String>> = OnceLock::new();
static MISBEHAVING: OnceLock<Result<Vec<Guest>, String>> = OnceLock::new();

/// A built worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its kind: the name of its crate.
    pub kind: String,
    /// The component.
    pub component: PathBuf,
    /// The manifest beside its sources, if it has one.
    pub manifest: Option<PathBuf>,
}

impl Guest {
    /// Puts component and manifest into a plugins folder.
    ///
    /// # Errors
    /// When they cannot be copied.
    pub fn put_into(&self, plugins: &Path) -> Result<()> {
        self.put_as(&self.kind, plugins)
    }

    /// Puts component and manifest into a plugins folder under the name of another kind.
    ///
    /// # Errors
    /// When they cannot be copied.
    pub fn put_as(&self, kind: &str, plugins: &Path) -> Result<()> {
        // The manifest first: the component makes the plugin appear, and it should appear with its limits.
        if let Some(manifest) = &self.manifest {
            place(manifest, &plugins.join(format!("{kind}.toml")))?;
        }
        place(&self.component, &plugins.join(format!("{kind}.wasm")))
    }
}

/// The worker of this kind, from the misbehaving ones or the samples; builds its workspace at the first call.
///
/// # Errors
/// When there is no such worker, or its workspace does not compile.
pub fn find(kind: &str) -> Result<Guest> {
    let guests = house::root().join("tests/guests");
    let samples = house::root().join("plugins");
    for folder in [guests.join(kind), samples.join(kind)] {
        if foreign::Language::of(&folder).is_some() {
            return foreign::build(&folder)?
                .with_context(|| format!("the tools for the worker `{kind}` are missing"));
        }
    }
    let built = if guests.join(kind).is_dir() {
        MISBEHAVING.get_or_init(|| build_here(&guests))
    } else if samples.join(kind).is_dir() {
        SAMPLES.get_or_init(|| build_here(&samples))
    } else {
        bail!("no worker `{kind}` in tests/guests or plugins");
    };
    let built = built.as_ref().map_err(|error| anyhow!("no worker `{kind}`: {error}"))?;
    built
        .iter()
        .find(|guest| guest.kind == kind)
        .cloned()
        .with_context(|| format!("nothing was built for `{kind}`"))
}

fn build_here(workspace: &Path) -> Result<Vec<Guest>, String> {
    let built = cargo::origin().and_then(|(target, _)| build(workspace, &target.join("guests")));
    built.map_err(|error| format!("{error:#}"))
}

/// Builds all workers of a workspace; costs little when nothing has changed.
///
/// # Errors
/// When they do not compile.
pub fn build(workspace: &Path, target: &Path) -> Result<Vec<Guest>> {
    fs::create_dir_all(target).with_context(|| format!("make {}", target.display()))?;
    let lock = File::create(target.join("guests.lock")).context("make the lock of the guests' builds")?;
    // Held to the end of this function: another test process neither builds nor takes stock meanwhile.
    lock.lock().context("wait for the builds of other test processes")?;
    let mut command = cargo::build(workspace, target);
    command.args(["--workspace", "--release", "--target", TARGET]);
    // What was meant for the machine of the tests is not meant for the guests.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        command.env_remove(name);
    }
    let made =
        cargo::artifacts(command).with_context(|| format!("build the workers of {}", workspace.display()))?;
    made.into_iter().filter(|artifact| artifact.manifest.starts_with(workspace)).filter_map(guest).collect()
}

/// The worker that an artifact is; nothing if it is no component.
fn guest(artifact: cargo::Artifact) -> Option<Result<Guest>> {
    let component =
        artifact.files.into_iter().find(|file| file.extension().is_some_and(|found| found == "wasm"))?;
    let name = name_of(&artifact.manifest);
    Some(name.map(|kind| {
        let manifest = artifact.manifest.with_file_name(format!("{kind}.toml"));
        Guest { kind, component, manifest: manifest.is_file().then_some(manifest) }
    }))
}

fn name_of(manifest: &Path) -> Result<String> {
    let text = fs::read_to_string(manifest).with_context(|| format!("read {}", manifest.display()))?;
    let table: toml::Table = text.parse().with_context(|| format!("parse {}", manifest.display()))?;
    let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    name.map(str::to_owned).with_context(|| format!("no package name in {}", manifest.display()))
}

/// Copies a file so that it appears whole: under another name first, then by a rename.
///
/// # Errors
/// When it cannot be copied.
pub fn place(from: &Path, to: &Path) -> Result<()> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let part = to.with_file_name(format!(".{name}.part"));
    let copied = fs::copy(from, &part).and_then(|_| fs::rename(&part, to));
    copied.with_context(|| format!("copy {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests;

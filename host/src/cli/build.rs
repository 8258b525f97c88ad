//! `flyball build`: from a worker's source to the plugins folder.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::exit::Exit;
use super::foreign::Foreign;
use crate::config::{Config, Globals};
use crate::job::Kind;

/// The target of workers.
const TARGET: &str = "wasm32-wasip2";
const GET_RUST: &str = "install Rust with rustup";

/// Builds a worker, and puts it into the plugins folder.
#[derive(Clone, Debug, clap::Args)]
pub struct Build {
    /// The folder of its crate, of a workspace of workers, or of a worker in Python or JavaScript
    #[arg(default_value = ".")]
    dir: PathBuf,
}

impl Build {
    /// Builds and installs.
    ///
    /// # Errors
    /// When a tool is missing, the worker does not compile, or the plugins folder can't be written to.
    pub async fn run(self, globals: &Globals) -> Result<Exit> {
        let plugins = Config::load_common(globals)?.plugins.folder;
        if let Some(foreign) = Foreign::of(&self.dir) {
            let kind = foreign.build(&self.dir, &plugins).await?;
            writeln!(io::stdout(), "{}", plugins.join(format!("{kind}.wasm")).display())?;
            return Ok(Exit::Done);
        }
        install_target(&self.dir).await?;
        for kind in build_workspace(&self.dir, &plugins).await? {
            writeln!(io::stdout(), "{}", plugins.join(format!("{kind}.wasm")).display())?;
        }
        Ok(Exit::Done)
    }
}

/// Makes sure that the toolchain that is used in the folder can build workers, by rustup if need be.
///
/// # Errors
/// When there is no Rust, or the target can't be added.
pub async fn install_target(dir: &Path) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let asked = rustc.current_dir(dir).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let asked = asked.map_err(|error| missing(error, "rustc", dir, GET_RUST))?;
    let libraries = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    if asked.status.success() && has_core(Path::new(&libraries)) {
        return Ok(());
    }
    eprintln!("adding the target {TARGET} through rustup");
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(dir).stdout(Stdio::null()).kill_on_drop(true);
    let advice = format!("add the target {TARGET} to this Rust, or {GET_RUST}");
    let status = rustup.status().await.map_err(|error| missing(error, "rustup", dir, &advice))?;
    if !status.success() {
        bail!("rustup could not add the target {TARGET} ({status}): see above");
    }
    Ok(())
}

/// Builds every worker of a crate or a workspace, and puts each with its manifest into the plugins folder. Says which.
///
/// # Errors
/// When it does not compile, holds no worker, or the plugins folder can't be written to.
pub async fn build_workspace(dir: &Path, plugins: &Path) -> Result<Vec<Kind>> {
    let shown = dir.display();
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
    cargo.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut cargo = cargo.spawn().map_err(|error| missing(error, "cargo", dir, GET_RUST))?;
    let mut built = Vec::new();
    if let Some(stdout) = cargo.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.context("reading what cargo says")? {
            built.extend(Artifact::read(&line));
        }
    }
    let status = cargo.wait().await.context("waiting for cargo")?;
    if !status.success() {
        bail!("building {shown} failed ({status}): cargo says why above");
    }
    if built.is_empty() {
        bail!("{shown} holds no worker: a worker's Cargo.toml says [lib] crate-type = [\"cdylib\"]");
    }
    fs::create_dir_all(plugins).with_context(|| format!("making {}", plugins.display()))?;
    built.iter().map(|artifact| artifact.install(plugins)).collect()
}

/// A component that cargo made.
struct Artifact {
    component: PathBuf,
    /// The Cargo.toml of its crate.
    cargo_toml: PathBuf,
}

impl Artifact {
    /// What a line of cargo says, if it is about a component.
    fn read(line: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Message {
            reason: String,
            manifest_path: Option<PathBuf>,
            target: Option<Target>,
            #[serde(default)]
            filenames: Vec<PathBuf>,
        }
        #[derive(Deserialize)]
        struct Target {
            kind: Vec<String>,
        }
        let message: Message = serde_json::from_str(line).ok()?;
        let is_library = message.target?.kind.iter().any(|kind| kind == "cdylib");
        let wasm = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "wasm");
        let component = message.filenames.into_iter().find(wasm)?;
        (message.reason == "compiler-artifact" && is_library)
            .then_some(Self { component, cargo_toml: message.manifest_path? })
    }

    fn install(&self, plugins: &Path) -> Result<Kind> {
        let kind = kind_of(&self.cargo_toml)?;
        install(&kind, &self.component, self.cargo_toml.parent().unwrap_or(Path::new("")), plugins)?;
        Ok(kind)
    }
}

/// Puts a component, and the manifest that lies in the folder of its source, into the plugins folder.
pub(super) fn install(kind: &Kind, component: &Path, source: &Path, plugins: &Path) -> Result<()> {
    let name = format!("{kind}.toml");
    let manifest = source.join(&name);
    // The manifest first: the component makes the plugin appear, and it should appear with its limits.
    if manifest.is_file() {
        place(&manifest, &plugins.join(name))?;
    }
    place(component, &plugins.join(format!("{kind}.wasm")))
}

/// The kind of a crate: the name of its package.
fn kind_of(cargo_toml: &Path) -> Result<Kind> {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let shown = cargo_toml.display();
    let text = fs::read_to_string(cargo_toml).with_context(|| format!("reading {shown}"))?;
    let manifest: Manifest = toml::from_str(&text).with_context(|| format!("reading {shown}"))?;
    Kind::new(&manifest.package.name)
        .with_context(|| format!("the package name in {shown} is the kind: rename it"))
}

/// Copies a file so that it appears whole.
fn place(from: &Path, to: &Path) -> Result<()> {
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let part = to.with_file_name(format!(".{name}.{}", std::process::id()));
    let copied = fs::copy(from, &part)
        .and_then(|_| File::open(&part)?.sync_all())
        .and_then(|()| fs::rename(&part, to));
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied.with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

fn has_core(libraries: &Path) -> bool {
    let entries = fs::read_dir(libraries).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

/// A program that did not start: it, or the folder that it was to run in, is missing.
pub(super) fn missing(error: io::Error, program: &str, dir: &Path, advice: &str) -> anyhow::Error {
    let reason = match error.kind() {
        ErrorKind::NotFound if !dir.is_dir() => format!("{} is no folder", dir.display()),
        ErrorKind::NotFound => format!("{program} is not installed: {advice}"),
        _ => format!("{program} does not start"),
    };
    anyhow::Error::new(error).context(reason)
}

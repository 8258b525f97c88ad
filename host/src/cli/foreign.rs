//! Building workers in Python and JavaScript, by the tools that their own folders name.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

use super::build::{install, missing};
use crate::job::Kind;

/// A language of workers beside Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreign {
    Python,
    JavaScript,
}

impl Foreign {
    /// The language of the worker in this folder; nothing if it is no such worker.
    pub(super) fn of(dir: &Path) -> Option<Self> {
        let has = |name: &str| dir.join(name).is_file();
        match (has("Cargo.toml"), has("pyproject.toml"), has("package.json")) {
            (true, ..) | (_, false, false) => None,
            (false, true, _) => Some(Self::Python),
            (false, false, true) => Some(Self::JavaScript),
        }
    }

    /// Builds the worker, and puts it with its manifest into the plugins folder. Says which it is.
    ///
    /// # Errors
    /// When a tool is missing, the worker does not build, or the plugins folder can't be written to.
    pub(super) async fn build(self, dir: &Path, plugins: &Path) -> Result<Kind> {
        let dir = &dir.canonicalize().with_context(|| format!("finding {}", dir.display()))?;
        let kind = self.kind(dir)?;
        let component = dir.join(format!("{kind}.wasm"));
        match self {
            Self::Python => python(dir, &component).await?,
            Self::JavaScript => java_script(dir).await?,
        }
        if !component.is_file() {
            bail!("the build of {} left no {kind}.wasm there: its output must have that name", dir.display());
        }
        fs::create_dir_all(plugins).with_context(|| format!("making {}", plugins.display()))?;
        install(&kind, &component, dir, plugins)?;
        Ok(kind)
    }

    /// The kind of a worker: the name of its package.
    fn kind(self, dir: &Path) -> Result<Kind> {
        #[derive(Deserialize)]
        struct Project {
            project: Package,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
        }
        let file = dir.join(match self {
            Self::Python => "pyproject.toml",
            Self::JavaScript => "package.json",
        });
        let shown = file.display();
        let text = fs::read_to_string(&file).with_context(|| format!("reading {shown}"))?;
        let package = match self {
            Self::Python => {
                toml::from_str::<Project>(&text).map(|read| read.project).map_err(anyhow::Error::new)
            }
            Self::JavaScript => serde_json::from_str(&text).map_err(anyhow::Error::new),
        };
        let package: Package = package.with_context(|| format!("reading {shown}"))?;
        Kind::new(&package.name).with_context(|| format!("the name in {shown} is the kind: rename it"))
    }
}

/// A virtual environment in the folder, what its requirements name, and componentize-py.
async fn python(dir: &Path, component: &Path) -> Result<()> {
    const GET: &str = "install Python 3.11 or later, with venv";
    let environment = dir.join(".venv");
    let python = environment.join("bin/python");
    if !python.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment), dir, "python3", GET).await?;
    }
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]);
    run(&mut pip, dir, "pip", GET).await?;
    let mut componentize = Command::new(environment.join("bin/componentize-py"));
    componentize.args(["componentize", "-p", "src", "worker", "-o"]).arg(component);
    componentize.env("VIRTUAL_ENV", &environment);
    run(&mut componentize, dir, "componentize-py", "requirements.txt must name flyball-worker").await
}

/// What the package depends on, and its own build.
async fn java_script(dir: &Path) -> Result<()> {
    const GET: &str = "install node and npm";
    run(Command::new("npm").args(["install", "--no-audit", "--no-fund"]), dir, "npm", GET).await?;
    run(Command::new("npm").args(["run", "build"]), dir, "npm", GET).await
}

/// Runs a tool in the folder. What it says is for the standard error: the standard output names what was built.
async fn run(command: &mut Command, dir: &Path, tool: &str, advice: &str) -> Result<()> {
    let shown = dir.display();
    let command = command.current_dir(dir).stdin(Stdio::null()).kill_on_drop(true);
    // Not `output`, which would keep what the tool says of its failures.
    let child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
    let child = child.map_err(|error| missing(error, tool, dir, advice))?;
    let output = child.wait_with_output().await.with_context(|| format!("waiting for {tool}"))?;
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        bail!("building {shown} failed ({}): {tool} says why above", output.status);
    }
    Ok(())
}

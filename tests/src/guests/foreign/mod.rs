//! Workers in other languages: built by the usual tools of each, which are installed into the target folder.
//!
//! Tools are pinned by version and digest, and kept; a component is kept under a digest of all that it was made of, so
//! that a second run builds nothing.

mod inputs;
mod tools;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context as _, Result, bail};

use super::{Guest, place};
use crate::{ambient, cargo, house};
use inputs::digest;
use tools::Tools;

/// The languages of workers beside Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// By componentize-py.
    Python,
    /// By the build of its SDK: componentize-qjs or componentize-js.
    JavaScript,
    /// By clang, as it comes with zig, and the linker of Rust.
    C,
}

impl Language {
    /// The language of the worker in this folder; nothing if it is in none of these.
    #[must_use]
    pub fn of(folder: &Path) -> Option<Self> {
        let files = [
            ("worker.py", Self::Python),
            ("src/worker.py", Self::Python),
            ("worker.js", Self::JavaScript),
            ("echo.c", Self::C),
        ];
        files.into_iter().find(|(file, _)| folder.join(file).is_file()).map(|(_, language)| language)
    }
}

/// The worker in this folder, built at the first call; nothing, said aloud, where the tools of its language can't be
/// had.
///
/// # Errors
/// When it does not build, and when its tools are missing although they are required.
pub fn build(folder: &Path) -> Result<Option<Guest>> {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let kind = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some(language) = Language::of(folder) else { bail!("{} holds no worker", folder.display()) };
    let place = cargo::origin()?.0.join("guests/foreign");
    fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
    // Held to the end of this function: another test process waits, and finds what was built.
    let lock = File::create(place.join("lock")).context("make the lock of the builds")?;
    lock.lock().context("wait for the builds of other test processes")?;
    let sources = sources(language, folder);
    let component = place.join(format!("{kind}-{}.wasm", digest(&sources)?));
    if !component.is_file() {
        let Some(tools) = Tools::install(language, &place)? else { return left_out(&kind, language) };
        make(&tools, folder, &component).with_context(|| format!("build the worker {kind}"))?;
    }
    let manifest = folder.join(format!("{kind}.toml"));
    Ok(Some(Guest { kind, component, manifest: manifest.is_file().then_some(manifest) }))
}

/// Where the compiled code of a component that was built here is kept, for an engine.
#[must_use]
pub fn compiled(component: &Path, engine: &str) -> PathBuf {
    component.with_extension(format!("{engine}.code"))
}

/// All that a component is made of.
fn sources(language: Language, folder: &Path) -> Vec<PathBuf> {
    let root = house::root();
    let guests = root.join("tests/guests");
    let mut sources = vec![folder.to_path_buf()];
    sources.extend(match language {
        Language::Python => vec![root.join("sdk/python/flyball_worker"), guests.join("requirements.txt")],
        Language::JavaScript => vec![root.join("sdk/js"), guests.join("js-echo/package-lock.json")],
        Language::C => vec![root.join(tools::FROZEN), guests.join("requirements.txt")],
    });
    sources
}

fn make(tools: &Tools, folder: &Path, component: &Path) -> Result<()> {
    let work = tempfile::tempdir().context("make a folder")?;
    let made = work.path().join("worker.wasm");
    match tools {
        Tools::Python(python) => python.componentize(folder, &made)?,
        Tools::JavaScript(node) => node.componentize(folder, &made)?,
        Tools::C(zig) => zig.link(folder, work.path(), &made)?,
    }
    place(&made, component)
}

fn left_out(kind: &str, language: Language) -> Result<Option<Guest>> {
    let needed = match language {
        Language::Python | Language::C => "python3 with its venv",
        Language::JavaScript => "node and npm",
    };
    if is_required() {
        bail!("the worker {kind} needs {needed}, which is required here and was not found: install it");
    }
    ambient::say_aloud(&format!("LEFT OUT for want of {needed}: the worker {kind}. Install it."));
    Ok(None)
}

/// Must tests fail that need a language whose tools can't be had?
#[must_use]
pub fn is_required() -> bool {
    ambient::switched_on("CI") || ambient::switched_on("FLYBALL_REQUIRE_LANGUAGES")
}

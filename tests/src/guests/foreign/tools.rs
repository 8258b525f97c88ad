//! The tools of each language, pinned by version and digest, in the target folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::{Language, inputs};
use crate::house;

/// What builds the workers of a language.
pub(super) enum Tools {
    Python(Python),
    JavaScript(Node),
    C(Zig),
}

/// A virtual environment with componentize-py and zig.
pub(super) struct Python(PathBuf);

/// A folder with the modules of node.
pub(super) struct Node(PathBuf);

/// Clang as it comes with zig, in the environment of Python.
pub(super) struct Zig(Python);

/// The contract as it was frozen.
pub(super) const FROZEN: &str = "tests/tests/contract-0.1.0.wit";

impl Tools {
    /// Installs what is not there yet; nothing where the language itself is missing.
    pub(super) fn install(language: Language, place: &Path) -> Result<Option<Self>> {
        Ok(match language {
            Language::Python => Python::install(place)?.map(Self::Python),
            Language::JavaScript => Node::install(place)?.map(Self::JavaScript),
            Language::C => Python::install(place)?.map(|python| Self::C(Zig(python))),
        })
    }
}

impl Python {
    fn install(place: &Path) -> Result<Option<Self>> {
        let wanted = house::root().join("tests/guests/requirements.txt");
        let folder = place.join(format!("python-{}", inputs::digest(std::slice::from_ref(&wanted))?));
        if folder.join("ready").is_file() {
            return Ok(Some(Self(folder)));
        }
        if !is_there("python3", &["-c", "import venv, ensurepip"]) {
            return Ok(None);
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
        ]);
        run(pip.arg(wanted))?;
        fs::write(folder.join("ready"), "").context("say that Python is ready")?;
        Ok(Some(Self(folder)))
    }

    pub(super) fn componentize(&self, folder: &Path, made: &Path) -> Result<()> {
        let mut command = Command::new(self.0.join("bin/componentize-py"));
        let sources = folder.join("src");
        command.args(["componentize", "--python-path"]).arg(if sources.is_dir() { &sources } else { folder });
        command.arg("--python-path").arg(house::root().join("sdk/python"));
        // Without it, it looks into whatever other environment it finds.
        command.env("VIRTUAL_ENV", &self.0).env("PYTHONDONTWRITEBYTECODE", "1");
        run(command.args(["worker", "--output"]).arg(made))
    }
}

impl Node {
    fn install(place: &Path) -> Result<Option<Self>> {
        let pinned = house::root().join("tests/guests/js-echo");
        let files = ["package.json", "package-lock.json", ".npmrc"].map(|name| pinned.join(name));
        let folder = place.join(format!("node-{}", inputs::digest(&files)?));
        if folder.join("ready").is_file() {
            return Ok(Some(Self(folder)));
        }
        if !is_there("node", &["--version"]) || !is_there("npm", &["--version"]) {
            return Ok(None);
        }
        for file in &files {
            fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
            let to = folder.join(file.file_name().unwrap_or_default());
            fs::copy(file, &to).with_context(|| format!("copy {}", file.display()))?;
        }
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund"]).current_dir(&folder))?;
        fs::write(folder.join("ready"), "").context("say that node is ready")?;
        Ok(Some(Self(folder)))
    }

    /// The SDK is put beside the worker as npm would put it there, and both below the tools, where node looks for them.
    /// The engine is the one that the worker's package.json names.
    pub(super) fn componentize(&self, folder: &Path, made: &Path) -> Result<()> {
        let work = tempfile::tempdir_in(&self.0).context("make a folder")?;
        inputs::copy(folder, work.path())?;
        inputs::copy(&house::root().join("sdk/js"), &work.path().join("node_modules/flyball-worker"))?;
        run(Command::new("node").arg("node_modules/flyball-worker/build.js").current_dir(work.path()))?;
        let name = folder.file_name().context("a folder has a name")?;
        let component = work.path().join(name).with_extension("wasm");
        fs::copy(&component, made).with_context(|| format!("copy {}", component.display()))?;
        Ok(())
    }
}

impl Zig {
    /// Objects by clang, a component by the linker of Rust, whose libc speaks WASI 0.2.
    pub(super) fn link(&self, folder: &Path, work: &Path, made: &Path) -> Result<()> {
        let sysroot = PathBuf::from(said("rustc", &["--print", "sysroot"])?).join("lib/rustlib");
        let rust = sysroot.join("wasm32-wasip2/lib");
        let about = said("rustc", &["-vV"])?;
        let host =
            about.lines().find_map(|line| line.strip_prefix("host: ")).context("which machine is this?")?;
        let tools = sysroot.join(host).join("bin");
        let mut linker = Command::new(tools.join("wasm-component-ld"));
        linker.arg("--wasm-ld-path").arg(tools.join("gcc-ld/wasm-ld")).arg("--component-type");
        // What was built when 0.1.0 was frozen must go on loading, however the contract grows: this worker stands for it.
        linker.arg(house::root().join(FROZEN)).arg("--output").arg(made).arg("--no-entry");
        linker.arg(rust.join("self-contained/crt1-reactor.o"));
        for source in house::files(folder, "c")? {
            let object = work.join(source.file_name().unwrap_or_default()).with_extension("o");
            let mut clang = Command::new(self.0.0.join("bin/python"));
            clang.args([
                "-m",
                "ziglang",
                "cc",
                "--target=wasm32-wasi",
                "-Os",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-c",
            ]);
            clang.arg(source).arg("-o").arg(&object);
            for cache in ["ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"] {
                clang.env(cache, self.0.0.join("zig-cache"));
            }
            run(&mut clang)?;
            linker.arg(object);
        }
        linker.arg(rust.join("self-contained/libc.a")).arg(builtins(&rust)?);
        run(&mut linker)
    }
}

/// What the code of a compiler counts on, as it comes with Rust.
fn builtins(rust: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(rust).with_context(|| format!("look into {}", rust.display()))?;
    let found = entries.find_map(|entry| {
        let path = entry.ok()?.path();
        let is_it = path.file_name()?.to_string_lossy().starts_with("libcompiler_builtins-");
        (is_it && path.extension().is_some_and(|found| found == "rlib")).then_some(path)
    });
    found.with_context(|| {
        format!("no libcompiler_builtins in {}: add the target wasm32-wasip2", rust.display())
    })
}

fn is_there(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(house::root()).output();
    let output = output.with_context(|| format!("run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a tool to its end; what it said is in the error when it fails.
fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error: io::Error| anyhow::anyhow!("run {command:?}: {error}"))?;
    if !output.status.success() {
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("{command:?} failed ({}):\n{stdout}{stderr}", output.status);
    }
    Ok(())
}

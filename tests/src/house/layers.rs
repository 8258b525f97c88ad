//! The layers of the host: who may use whom.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::plan::{self, Room};
use super::{Violation, files, paths};

/// Everything in the host's source folder that breaks the order of the layers.
///
/// # Errors
/// When a file cannot be read.
pub fn violations(source: &Path) -> Result<Vec<Violation>> {
    let mut read = Vec::new();
    for path in files(source, "rs")? {
        let file = path.strip_prefix(source).context("a file outside the folder it was found in")?;
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        read.push((file.to_path_buf(), text));
    }
    let mounted: BTreeMap<PathBuf, Vec<String>> =
        read.iter().flat_map(|(file, text)| mounted_by(file, text)).collect();
    let module = |file: &Path| mounted.get(file).cloned().unwrap_or_else(|| module_of(file));
    Ok(read.iter().flat_map(|(file, text)| judge(file, &module(file), text)).collect())
}

fn judge(file: &Path, module: &[String], text: &str) -> Vec<Violation> {
    let violation = |line, reason| Violation { file: file.to_path_buf(), line, reason };
    let segments: Vec<&str> = module.iter().map(String::as_str).collect();
    let Some(name) = segments.first() else { return Vec::new() };
    let Some(room) = plan::find(name) else {
        let reason = format!("the plan has no room `{name}`: give it a layer in tests/src/house/plan.rs");
        return vec![violation(1, reason)];
    };
    let reached = paths::reaches(text, &segments).into_iter();
    let climbs = reached.filter_map(|reach| Some(violation(reach.line, objection(room, &reach.name)?)));
    let barred = plan::BARRED_CRATES.iter().filter(|(barred, _)| *barred == room.name);
    let foreign = barred.flat_map(|(_, names)| paths::crates(text, names)).map(|(name, line)| {
        violation(line, format!("{} names the crate `{name}`, which has no place there", room.name))
    });
    climbs.chain(foreign).collect()
}

/// The files that this one makes its modules by `#[path = "file.rs"] mod name;`, and the modules that they are.
fn mounted_by(file: &Path, text: &str) -> Vec<(PathBuf, Vec<String>)> {
    let mounts = text.split("#[path = \"").skip(1).filter_map(|rest| {
        let (path, rest) = rest.split_once("\"]")?;
        let name = rest.split_once("mod ")?.1.split(';').next()?;
        let module = module_of(file).into_iter().chain([name.to_owned()]).collect();
        Some((file.with_file_name(path), module))
    });
    mounts.collect()
}

fn objection(user: Room, name: &str) -> Option<String> {
    let Some(used) = plan::find(name) else {
        return Some(format!("`crate::{name}` names no room: name the module that it comes from"));
    };
    plan::objection(user, used)
}

/// The module path of a file of the crate; empty for the roof, which may use all.
fn module_of(file: &Path) -> Vec<String> {
    if plan::ROOF.iter().any(|roof| Path::new(roof) == file) {
        return Vec::new();
    }
    let stem = file.with_extension("");
    let mut segments: Vec<String> =
        stem.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if segments.last().is_some_and(|last| last == "mod") {
        segments.pop();
    }
    segments
}

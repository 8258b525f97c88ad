//! The plan of the house, and the inspection that keeps the code to it.
//!
//! It reads source text only: [`tokens`] tells code from comments and strings, [`paths`] finds which room a line of
//! the host names, [`layers`] judges that by the [`plan`], and [`surface`] looks at files from outside: how long they
//! are and how they begin. It knows nothing of types; a road through a re-export is closed by refusing paths that
//! name no room. [`promises`] holds the list of promises against the tests that show them.

pub mod layers;
pub mod paths;
pub mod plan;
pub mod promises;
pub mod surface;
pub mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Something that breaks the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The file, relative to the inspected folder.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.reason)
    }
}

/// The folder of the repository.
#[must_use]
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// All files below `folder` with this extension, in order; hidden and `target` folders are left out, and so is a
/// folder that does not exist.
///
/// # Errors
/// When a folder cannot be read.
pub fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        if !next.is_dir() {
            continue;
        }
        for entry in next.read_dir().with_context(|| format!("read the folder {}", next.display()))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

//! What can be seen of a file from outside: how long it is, and that it begins by saying what it does.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Violation, files};

/// No file is longer.
pub const LONGEST: usize = 500;

/// How a Rust file may begin: with its own words, or with those of the page in its folder.
const OPENINGS: &[&str] = &["//!", "#![doc = include_str!("];

/// The Rust files below `folder` that are too long or do not say what they do.
///
/// # Errors
/// When a file cannot be read.
pub fn of_code(folder: &Path) -> Result<Vec<Violation>> {
    judge(folder, "rs", |text| {
        let lines = text.lines().count();
        if lines > LONGEST {
            return Some(format!("{lines} lines, and {LONGEST} is the most: a file is one noun"));
        }
        let begins = OPENINGS.iter().any(|opening| text.starts_with(opening));
        (!begins).then(|| "begins without a `//!` comment that says what the file does".to_owned())
    })
}

/// The SQL files below `folder` that do not say what they do.
///
/// # Errors
/// When a file cannot be read.
pub fn of_statements(folder: &Path) -> Result<Vec<Violation>> {
    judge(folder, "sql", |text| {
        let begins = text.starts_with("--") || text.starts_with("/*");
        (!begins).then(|| "begins without a `--` comment that says what the statement does".to_owned())
    })
}

fn judge(folder: &Path, extension: &str, fault: impl Fn(&str) -> Option<String>) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    for path in files(folder, extension)? {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        if let Some(reason) = fault(&text) {
            let file = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
            found.push(Violation { file, line: 1, reason });
        }
    }
    Ok(found)
}

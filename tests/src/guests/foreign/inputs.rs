//! A digest of files and folders: what was built of the same need not be built again.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A digest of the files, and of those in the folders, by name and content.
pub(super) fn digest(paths: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        for file in files(path)? {
            file.strip_prefix(path).unwrap_or(&file).hash(&mut hasher);
            fs::read(&file).with_context(|| format!("read {}", file.display()))?.hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// The files under a path, in order, but what tools leave there and what only people read.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("look into {}", path.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    let left = |path: &PathBuf| {
        !["__pycache__", "node_modules", ".venv", "build", "README.md"]
            .iter()
            .any(|name| path.ends_with(name))
    };
    let found = paths.iter().filter(|path| left(path)).map(|path| files(path));
    Ok(found.collect::<Result<Vec<_>>>()?.concat())
}

/// Copies a folder with all in it; links become what they point to.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        fs::create_dir_all(target.parent().unwrap_or(to))
            .with_context(|| format!("make {}", to.display()))?;
        fs::copy(&file, &target).with_context(|| format!("copy {}", file.display()))?;
    }
    Ok(())
}

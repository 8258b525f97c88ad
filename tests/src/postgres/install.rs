//! Where the programs of PostgreSQL are, and as whom they may run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ambient;

/// The programs of one installed version.
pub(super) struct Install {
    /// The folder with `initdb` and `postgres`.
    pub(super) programs: PathBuf,
}

impl Install {
    /// Asks `pg_config`, looks where distributions put it, then along the `PATH`.
    pub(super) fn find() -> Option<Self> {
        let path = ambient::variable("PATH").unwrap_or_default();
        let folders = configured().into_iter().chain(usual()).chain(std::env::split_paths(&path));
        folders.into_iter().find(|folder| is_server(folder)).map(|programs| Self { programs })
    }
}

/// The client libraries bring a `pg_config` too, so its folder may hold no server.
fn is_server(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
}

fn configured() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(answer.stdout).ok()?;
    answer.status.success().then(|| PathBuf::from(folder.trim()))
}

fn usual() -> Vec<PathBuf> {
    let versions = |root: &str, inner: &str| {
        let mut found: Vec<(u32, PathBuf)> = fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                Some((name.trim_start_matches("pgsql-").parse().ok()?, entry.path().join(inner)))
            })
            .collect();
        found.sort();
        found.into_iter().rev().map(|(_, folder)| folder)
    };
    let fixed = ["/usr/local/pgsql/bin", "/opt/homebrew/bin"].map(PathBuf::from);
    versions("/usr/lib/postgresql", "bin").chain(versions("/usr", "bin")).chain(fixed).collect()
}

/// The unprivileged account that PostgreSQL must run as when we are root; nothing when we are somebody ourselves.
pub(super) fn account() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |wanted: &str| {
        let mut fields = known
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(wanted)).then_some(fields))?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    // 65534 is nobody wherever it has no line of its own.
    Some(find("postgres").or_else(|| find("nobody")).unwrap_or((65_534, 65_534)))
}

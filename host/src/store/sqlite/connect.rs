//! Connecting to a SQLite file.

use crate::store::{OpenOptions, Result, Role, StoreError, Synchronous};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a connection waits for another process that writes.
pub(super) const BUSY: Duration = Duration::from_secs(4);

/// The file that a URL names.
pub(in crate::store) fn path_of(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path == ":memory:" || path.contains(['?', '#']) {
        return Err(StoreError::Address(format!(
            "{url:?} names no file that jobs can be kept in: sqlite:FILE, without parameters"
        )));
    }
    Ok(PathBuf::from(path))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .pragma("temp_store", "memory")
        // Batches are answered whole, so a small buffer only makes two threads wait for each other.
        .row_buffer_size(1024)
        .disable_statement_logging()
}

/// The connection that writes, and creates the file; that of an onlooker only reads.
pub(super) async fn writer(path: &Path, open: &OpenOptions) -> Result<SqliteConnection> {
    let synchronous = match open.synchronous {
        Synchronous::Full => SqliteSynchronous::Full,
        Synchronous::Normal => SqliteSynchronous::Normal,
    };
    if open.role == Role::Onlooker {
        let options = options(path).read_only(true);
        return options.connect().await.map_err(|error| unusable(path, &error));
    }
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        // What a burst made of the log is given back.
        .pragma("journal_size_limit", "67108864");
    options.connect().await.map_err(|error| unusable(path, &error))
}

/// Connections that read, so many at most.
pub(super) fn readers(path: &Path, most: u32) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(most.max(1))
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .connect_lazy_with(options(path).read_only(true))
}

/// A connection for migrations.
pub(in crate::store) async fn migrator(url: &str, open: &OpenOptions) -> Result<SqliteConnection> {
    writer(&path_of(url)?, open).await
}

/// A connection that only looks, at a file that is there.
pub(in crate::store) async fn onlooker(url: &str) -> Result<SqliteConnection> {
    let path = path_of(url)?;
    options(&path).read_only(true).connect().await.map_err(|error| unusable(&path, &error))
}

fn unusable(path: &Path, error: &sqlx::Error) -> StoreError {
    StoreError::Address(format!("could not open the SQLite file {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_file_and_nothing_that_forgets() {
        assert_eq!(path_of("sqlite:flyball.db").expect("a file"), Path::new("flyball.db"));
        assert_eq!(path_of("sqlite:///var/lib/f.db").expect("a file"), Path::new("/var/lib/f.db"));
        for bad in ["sqlite:", "sqlite::memory:", "sqlite:x.db?mode=memory"] {
            assert!(path_of(bad).is_err(), "{bad}");
        }
    }
}

//! One `serve` per file: a lock of the operating system on `<database>.serve`.
//!
//! The database file itself is never opened by us: closing it would drop the locks that SQLite has on it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::store::{Result, StoreError};

/// Held as long as this value lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct ServeLock {
    _file: File,
}

impl ServeLock {
    pub(super) fn take(database: &Path, name: &str) -> Result<Self> {
        let path = lock_path(database);
        let wrong = |doing: &str, error: std::io::Error| {
            StoreError::Address(format!("{doing} the lock file {}: {error}", path.display()))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| wrong("could not open", error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Served {
                    file: path.display().to_string(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(wrong("could not lock", error)),
        }
        let text = format!("{name} (pid {})\n", std::process::id());
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_data());
        written.map_err(|error| wrong("could not write", error))?;
        Ok(Self { _file: file })
    }
}

/// Beside the file that a link leads to, so that two names of one database have one lock.
fn lock_path(database: &Path) -> PathBuf {
    let real = database.canonicalize().unwrap_or_else(|_| {
        let folder = database.parent().and_then(|folder| folder.canonicalize().ok()).unwrap_or_default();
        database.file_name().map_or_else(|| database.to_path_buf(), |name| folder.join(name))
    });
    let mut path = OsString::from(real);
    path.push(".serve");
    path.into()
}

/// Who says that it has the lock.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(200).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => text.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

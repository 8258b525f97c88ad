//! A wall clock that can be stepped for one process, while the machine's own and all monotonic clocks stay as they are.
//!
//! By libfaketime, which Debian packages: it stands before the C library in the process and reads from a file by how much
//! it is to be off. Where it is not installed there is none, and that is said aloud.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::ambient;
use crate::node::Plan;

/// By how much the clock is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// Not at all.
    None,
    /// So many hours ahead.
    Ahead(u8),
    /// So many hours behind.
    Behind(u8),
}

/// The clock of the processes that were started with it.
pub struct WallClock {
    library: PathBuf,
    folder: TempDir,
}

impl WallClock {
    /// A clock that is right so far; nothing, said aloud, where the library is missing.
    ///
    /// # Errors
    /// When it is missing in CI.
    pub fn find() -> Result<Option<Self>> {
        let known = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let folders = known.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
        let Some(library) = folders.into_iter().find(|library| library.is_file()) else {
            if ambient::switched_on("CI") {
                bail!("stepped clocks need libfaketime, which is required here: apt-get install libfaketime");
            }
            ambient::say_aloud("LEFT OUT: stepped wall clocks. Install libfaketime.");
            return Ok(None);
        };
        let clock = Self { library, folder: tempfile::tempdir().context("make a folder for a clock")? };
        clock.step(Offset::None)?;
        Ok(Some(clock))
    }

    /// The plan of a process that goes by this clock.
    #[must_use]
    pub fn worn_by(&self, plan: Plan) -> Plan {
        let of_file: OsString = self.file().into();
        plan.variable("LD_PRELOAD", self.library.clone())
            .variable("FAKETIME_TIMESTAMP_FILE", of_file)
            // How long, in seconds, it goes by what it has read.
            .variable("FAKETIME_CACHE_DURATION", "1")
            .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    }

    /// Steps it, within a second.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn step(&self, to: Offset) -> Result<()> {
        let text = match to {
            Offset::None => "+0".to_owned(),
            Offset::Ahead(hours) => format!("+{hours}h"),
            Offset::Behind(hours) => format!("-{hours}h"),
        };
        // Whoever reads it finds the old text or the new one.
        let next = self.folder.path().join("next");
        fs::write(&next, text).and_then(|()| fs::rename(&next, self.file())).context("step the clock")
    }

    /// Takes away what a process that was killed has left of the library's own.
    pub fn forget(&self, pid: u32) {
        for left in ["faketime_shm_", "sem.faketime_sem_"] {
            // It may have ended in order, and left nothing.
            let _gone = fs::remove_file(format!("/dev/shm/{left}{pid}"));
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}

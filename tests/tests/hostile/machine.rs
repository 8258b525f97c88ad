//! What this process has of the machine: memory, files, threads.

use std::fs;

use anyhow::{Context as _, Result};

/// What it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) resident_bytes: u64,
    pub(crate) files: usize,
    pub(crate) threads: usize,
}

impl Machine {
    pub(crate) fn now() -> Result<Self> {
        let status = fs::read_to_string("/proc/self/status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes: u64 = resident.trim().trim_end_matches("kB").trim().parse()?;
        Ok(Self {
            resident_bytes: kibibytes << 10,
            files: fs::read_dir("/proc/self/fd")?.count(),
            threads: fs::read_dir("/proc/self/task")?.count(),
        })
    }
}

//! What the sandbox of a node may use, all attempts together. What one attempt may use is its [`Budget`].
//!
//! [`Budget`]: crate::job::Budget

use std::time::Duration;

/// How the sandbox is sized. Begin with the default and set what differs.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// The most attempts at once.
    pub slots: u32,
    /// Threads that guests run on, and nothing else does.
    pub threads: usize,
    /// Bytes over the memories and tables of all attempts together.
    pub guest_memory: u64,
    /// The most that one attempt can ever be given, whatever its budget says.
    pub max_memory_bytes: u64,
    /// How long an attempt is asked to stop before its deadline stops it.
    pub stop_grace: Duration,
    /// Where instances come from.
    pub allocator: Allocator,
    /// How much an attempt may log.
    pub log: LogBounds,
}

/// The most of a node's guest memory that one attempt may have: four fifths. With more of it than that in use the node
/// starts nothing, so a guest that needs more would find room only by luck.
pub(crate) const fn share_of(guest_memory: u64) -> u64 {
    guest_memory / 5 * 4
}

/// Where the memory of an instance comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allocator {
    /// A pool that is mapped once: several times faster. Falls back to the other, with a warning, where there is not
    /// enough address space for it.
    #[default]
    Pooling,
    /// Mapped for every attempt.
    OnDemand,
}

/// How much of an attempt's log is kept: half of it from the beginning, half from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// Bytes of messages and fields.
    pub bytes: usize,
    /// Lines.
    pub lines: usize,
    /// Bytes of one line.
    pub line_bytes: usize,
}

impl Default for LogBounds {
    fn default() -> Self {
        Self { bytes: 256 << 10, lines: 2000, line_bytes: 8 << 10 }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            slots: u32::try_from(cores).unwrap_or(u32::MAX).saturating_mul(4),
            threads: cores,
            guest_memory: machine_memory() / 2,
            max_memory_bytes: 1 << 30,
            stop_grace: Duration::from_millis(200),
            allocator: Allocator::default(),
            log: LogBounds::default(),
        }
    }
}

/// The memory of the machine, or of the control group that this process is in, whichever is less.
fn machine_memory() -> u64 {
    const UNKNOWN: u64 = 4 << 30;
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min().unwrap_or(UNKNOWN)
}

fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_machine_is_read_as_linux_tells_it() {
        assert_eq!(total_of("MemTotal:       24607548 kB\nMemFree: 1 kB\n"), Some(24_607_548 * 1024));
        assert_eq!(total_of("MemFree: 1 kB\n"), None);
        assert!(SandboxConfig::default().guest_memory > 0);
    }
}

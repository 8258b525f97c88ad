//! What an attempt may use, what a job asks for itself, and what an attempt did use.

use std::time::Duration;

use super::Backoff;

/// What one attempt may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Wall time from before instantiation to after the last destructor.
    pub timeout: Duration,
    /// Units of fuel, about one per instruction.
    pub fuel: u64,
    /// Bytes over all memories and tables together.
    pub memory_bytes: u64,
    /// Bytes of output.
    pub output_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            fuel: 20_000_000_000,
            memory_bytes: 128 << 20,
            output_bytes: 1 << 20,
        }
    }
}

/// What a job asks for itself; `None` leaves it to the manifest, then to `describe`, then to the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Charged attempts before the job is discarded.
    pub max_attempts: Option<u32>,
    /// Wall time of one attempt.
    pub timeout: Option<Duration>,
    /// Fuel of one attempt.
    pub fuel: Option<u64>,
    /// Delays between attempts.
    pub backoff: Option<Backoff>,
}

/// What one attempt used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// Units of fuel.
    pub fuel_used: u64,
    /// CPU time inside the guest, in microseconds.
    pub cpu_us: u64,
    /// The most bytes that memories and tables had at once.
    pub peak_memory_bytes: u64,
    /// HTTP requests sent.
    pub http_requests: u64,
    /// Bytes of HTTP bodies, both ways.
    pub http_bytes: u64,
    /// Bytes of log kept.
    pub log_bytes: u64,
    /// Lines of log dropped.
    pub log_dropped: u64,
}

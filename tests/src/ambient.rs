//! What the harness takes from the machine it runs on: its clocks and its environment.
//!
//! The one place of this crate that reads either. Product code takes time as an argument; a harness that measures
//! real processes cannot.

use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment of the wall clock, in microseconds since 1970: what processes on one machine have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment(pub i64);

impl Moment {
    /// The time from `earlier` to this moment, zero if it is the later one.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

/// The wall clock now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the harness compares real processes by the machine's clock")]
pub fn now() -> Moment {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}

/// The monotonic clock now, for bounds and durations.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the harness bounds its waits by real time")]
pub fn instant() -> Instant {
    Instant::now()
}

/// A variable of the environment; unset and empty are the same.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the test run is configured by its environment")]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Is this variable set to something other than `0` or `false`?
#[must_use]
pub fn switched_on(name: &str) -> bool {
    variable(name).is_some_and(|value| value != "0" && value != "false")
}

/// The names in our environment that would configure a `flyball` process, which a test must not inherit.
#[must_use]
pub fn settings_of_flyball() -> Vec<OsString> {
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name == "DATABASE_URL" || name.to_string_lossy().starts_with("FLYBALL_"))
        .collect()
}

/// What cargo tells the test about its package. A build that inherited it would take it for a change of its own
/// environment, and compile again every crate whose build script looks there.
#[must_use]
pub fn settings_of_cargo_for_a_test() -> Vec<OsString> {
    const SET_BY_CARGO: [&str; 6] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_EXE_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
        "CARGO_TARGET_TMPDIR",
    ];
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| SET_BY_CARGO.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)))
        .collect()
}

/// Says something that must be seen even when the test passes: the test runner does not capture this road.
pub fn say_aloud(text: &str) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _unheard = writeln!(stderr, "\n*** {text}");
}

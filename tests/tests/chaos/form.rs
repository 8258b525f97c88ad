//! How long a storm is, and by which seed.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball_tests::ambient;

/// Kills of the short form, on each database.
const SHORT: usize = 16;

/// For which it has so long, lest a slow machine make it a long one.
const SHORT_WITHIN: u64 = 1;
/// A day.
const LONG_WITHIN: u64 = 24 * 60;

/// What was asked of this run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) seed: u64,
    /// Nodes and postmasters that are killed, at least.
    pub(crate) kills: usize,
    /// When this is over nothing more goes wrong, if every sort of fault was there once.
    pub(crate) within: Duration,
}

impl Form {
    pub(crate) fn asked() -> Result<Self> {
        let number = |name: &str| -> Result<Option<u64>> {
            let given = ambient::variable(name);
            let parse = |text: &std::ffi::OsString| text.to_str()?.parse().ok();
            given.map(|text| parse(&text).with_context(|| format!("{name} is no number"))).transpose()
        };
        let seed = number("FLYBALL_TESTS_SEED")?.unwrap_or(ambient::now().0.unsigned_abs() % 1_000_000);
        let kills = number("FLYBALL_CHAOS_KILLS")?.and_then(|kills| usize::try_from(kills).ok());
        let usual = if kills.is_some() { LONG_WITHIN } else { SHORT_WITHIN };
        let minutes = number("FLYBALL_CHAOS_MINUTES")?.unwrap_or(usual);
        Ok(Self { seed, kills: kills.unwrap_or(SHORT), within: Duration::from_secs(minutes * 60) })
    }
}

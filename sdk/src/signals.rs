//! The small words between an attempt and its host: how far, how dear, and whether to stop.

use crate::Cause;
use crate::bindings::flyball::worker as wire;

/// Says that `fraction` of the work (0 to 1) is done: `progress(0.5, "page 3")`, `progress(0.5,
/// None)`. At most one report a second is stored, the last one wins.
pub fn progress<'a>(fraction: f64, note: impl Into<Option<&'a str>>) {
    wire::progress::report(fraction, note.into());
}

/// Asks whether the host wants this attempt to end. If it does, return soon: a short grace is
/// left, then the attempt is stopped where it stands.
#[must_use]
pub fn stopping() -> Option<Cause> {
    wire::stopping::stopping()
}

/// Adds to what this attempt cost its owner: millionths of your unit of account.
pub fn cost(micros: u64) {
    wire::cost::add(micros);
}

//! Progress of one attempt: told at most ten times a second, the last one always.

use std::time::Duration;

use super::Ports;
use super::log::harmless;
use crate::clock::Boot;

const PAUSE: Duration = Duration::from_millis(100);
const MAX_NOTE: usize = 1 << 10;

/// What was told, and what is still to tell.
#[derive(Default)]
pub(super) struct Progress {
    told: Option<Boot>,
    pending: Option<(f64, Option<String>)>,
}

impl Progress {
    /// Takes a report. A fraction that is no number says nothing.
    pub(super) fn report(&mut self, fraction: f64, note: Option<&str>, now: Boot, ports: &dyn Ports) {
        if fraction.is_nan() {
            return;
        }
        self.pending = Some((fraction.clamp(0.0, 1.0), note.map(|note| harmless(note, MAX_NOTE))));
        if self.told.is_none_or(|told| now.since(told) >= PAUSE) {
            self.told = Some(now);
            self.flush(ports);
        }
    }

    /// Tells what is pending, if it is time.
    pub(super) fn tick(&mut self, now: Boot, ports: &dyn Ports) {
        if self.pending.is_some() && self.told.is_none_or(|told| now.since(told) >= PAUSE) {
            self.told = Some(now);
            self.flush(ports);
        }
    }

    /// Tells what is pending, because the attempt has ended.
    pub(super) fn flush(&mut self, ports: &dyn Ports) {
        if let Some((fraction, note)) = self.pending.take() {
            ports.progress(fraction, note.as_deref());
        }
    }
}

//! The epoch ticker: an OS thread, because a guest that does not yield can hold up any timer that shares its runtime.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use wasmtime::EngineWeak;

use super::SandboxError;
use super::engine::Engines;

/// How often a guest that computes is interrupted, to yield and to be checked on.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Ticks until it is dropped.
pub(super) struct Ticker {
    /// Nothing is ever sent; dropping it ends the thread.
    _running: SyncSender<()>,
}

impl Ticker {
    /// Takes all engines there are: a guest of one that is not ticked would never be interrupted.
    pub(super) fn start(engines: &Engines) -> Result<Self, SandboxError> {
        let Engines { guests, inspector } = engines;
        let engines = [guests.weak(), inspector.weak()];
        let (running, stopped) = sync_channel::<()>(0);
        std::thread::Builder::new()
            .name("flyball-epoch".into())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    engines
                        .iter()
                        .filter_map(EngineWeak::upgrade)
                        .for_each(|engine| engine.increment_epoch());
                }
            })
            .map_err(|cause| SandboxError { doing: "starting the epoch ticker", cause: cause.into() })?;
        Ok(Self { _running: running })
    }
}

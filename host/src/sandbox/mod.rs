//! Running foreign code: every attempt in a sandbox of its own.
//!
//! Three lifetimes: the engine starts once, a [`Worker`] is prepared once per load, and an attempt gets a new store
//! and a new instance. What a guest asks of the queue goes through [`Ports`], which whoever runs attempts implements.

mod attempt;
mod config;
mod error;
mod ports;
mod stop;
mod worker;

use std::sync::Arc;

pub use attempt::{Attempt, Ended, GuestJob};
pub use config::{Allocator, LogBounds, SandboxConfig};
pub use error::{LoadError, SandboxError};
pub use ports::{FollowUpRequest, Ports, Refusal};
pub use stop::{Stop, StopCause};
pub use worker::{Defaults, Description, Worker};

use crate::clock::Clock;
use crate::job::{Evidence, Kind, Release, Verdict};

/// The sandbox of a node. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    config: SandboxConfig,
    _clock: Clock,
}

impl Sandbox {
    /// Starts the engine, its ticker and the threads that guests run on.
    ///
    /// # Errors
    /// [`SandboxError`] when the machine can't run guests at all.
    pub fn start(config: SandboxConfig, clock: Clock) -> Result<Self, SandboxError> {
        Ok(Self(Arc::new(Inner { config, _clock: clock })))
    }

    /// Turns a component into machine code for this engine. Takes long, and all the processor: call it where blocking
    /// is fine.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are no component.
    pub fn compile(&self, _wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        Err(LoadError::Refused("the sandbox is not built yet".into()))
    }

    /// The key under which compiled code may be kept: it changes with the engine, its settings and the processor.
    pub fn compatibility(&self) -> String {
        String::new()
    }

    /// Makes a worker: links it, tries to start it, and has it describe itself, with no grants and a small budget.
    /// `code` must be what [`Sandbox::compile`] made of `wasm`, and is trusted.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with the component, and what to do.
    pub async fn prepare(
        &self,
        _kind: Kind,
        _wasm: &[u8],
        _code: &[u8],
        _digest: String,
    ) -> Result<Worker, LoadError> {
        Err(LoadError::Refused("the sandbox is not built yet".into()))
    }

    /// Runs one attempt to its end. Dropping the future stops the guest.
    pub async fn run(&self, _worker: &Worker, _attempt: Attempt) -> Ended {
        Ended { verdict: Verdict::Released(Release::NotStarted), evidence: Evidence::default() }
    }

    /// Bytes that the memories and tables of all attempts have now.
    pub fn guest_memory_in_use(&self) -> u64 {
        0
    }

    /// Bytes that they may have together.
    pub fn guest_memory_limit(&self) -> u64 {
        self.0.config.guest_memory
    }
}

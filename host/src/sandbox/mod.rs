//! Running foreign code: every attempt in a sandbox of its own.
//!
//! Three lifetimes: the engine starts once, a [`Worker`] is prepared once per load, and an attempt gets a new store
//! and a new instance. What a guest asks of the queue goes through [`Ports`], which whoever runs attempts implements.

mod attempt;
mod backtrace;
mod bindings;
mod call;
mod checkpoint;
mod children;
mod code;
mod component;
mod computing;
mod config;
mod describe;
mod ending;
mod engine;
mod error;
mod guest;
mod http;
mod imports;
mod link;
mod log;
mod memory;
mod ports;
mod progress;
mod requests;
mod run;
mod stdio;
mod stop;
mod threads;
mod ticker;
mod told;
mod turn;
mod watch;
mod wishes;
mod witness;
mod worker;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use wasmtime::component::Linker;

pub use attempt::{Attempt, Ended, GuestJob};
pub(crate) use config::share_of;
pub use config::{Allocator, LogBounds, SandboxConfig};
pub use error::{LoadError, SandboxError};
pub use http::{HttpBody, HttpError, Outside};
pub use ports::{FollowUpRequest, Ports, Refusal, Unread};
pub use stop::{Stop, StopCause};
pub use worker::{Defaults, Description, Worker};

use crate::clock::Clock;
use crate::job::{ErrorClass, Evidence, Failure, Kind, Verdict};

/// The sandbox of a node. Cheap to clone; clones share everything, and the last one that goes ends its threads.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    sandboxes: Arc<Sandboxes>,
    threads: threads::GuestThreads,
    _ticker: ticker::Ticker,
}

/// What all attempts share.
struct Sandboxes {
    config: SandboxConfig,
    clock: Clock,
    engines: engine::Engines,
    linker: Linker<guest::Guest>,
    memory: Arc<memory::GuestMemory>,
}

impl Sandbox {
    /// Starts the engine, its ticker and the threads that guests run on.
    ///
    /// # Errors
    /// [`SandboxError`] when the machine can't run guests at all.
    pub fn start(config: SandboxConfig, clock: Clock) -> Result<Self, SandboxError> {
        let engines = engine::Engines::start(&config)?;
        let ticker = ticker::Ticker::start(&engines)?;
        let threads = threads::GuestThreads::start(config.threads)?;
        let linker = link::linker(&engines)?;
        let memory = memory::GuestMemory::new(config.guest_memory);
        let sandboxes = Arc::new(Sandboxes { config, clock, engines, linker, memory });
        Ok(Self(Arc::new(Inner { sandboxes, threads, _ticker: ticker })))
    }

    /// Turns a component into machine code for this engine. Takes long, and all the processor: call it where blocking
    /// is fine.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are no component.
    pub fn compile(&self, wasm: &[u8]) -> Result<Vec<u8>, LoadError> {
        component::check(wasm)?;
        let compiled = self.0.sandboxes.engines.guests.precompile_component(wasm);
        compiled.map_err(|error| LoadError::Refused(format!("it does not compile: {}", link::told(&error))))
    }

    /// The key under which compiled code may be kept: it changes with the engine, its settings and the processor.
    pub fn compatibility(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.0.sandboxes.engines.guests.precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Makes a worker: links it, starts it, and has it describe itself, with no grants and a small budget. `code` must
    /// be what [`Sandbox::compile`] made of `wasm`, and is trusted.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with the component, and what to do.
    pub async fn prepare(
        &self,
        kind: Kind,
        wasm: &[u8],
        code: &[u8],
        digest: String,
    ) -> Result<Worker, LoadError> {
        component::check(wasm)?;
        let sandboxes = self.0.sandboxes.clone();
        let code = code.to_vec();
        let task = async move {
            let linked = link::link(&sandboxes, &code)?;
            drop(code);
            let described = describe::describe(&sandboxes, &linked).await?;
            Ok(Worker::new(kind, digest, described, linked.pre))
        };
        let ended = match self.0.threads.spawn(task) {
            Some(running) => running.ended().await,
            None => None,
        };
        ended.unwrap_or_else(|| Err(LoadError::Refused("a fault of the host ended its trial".into())))
    }

    /// Runs one attempt to its end. Dropping the future stops the guest.
    pub async fn run(&self, worker: &Worker, attempt: Attempt) -> Ended {
        let (sandboxes, worker) = (self.0.sandboxes.clone(), worker.clone());
        let task = async move { run::run(&sandboxes, &worker, attempt).await };
        let ended = match self.0.threads.spawn(task) {
            Some(running) => running.ended().await,
            None => None,
        };
        ended.unwrap_or_else(host_fault)
    }

    /// Does what takes a while because a stranger had a say in it, apart from database, API and timers. `None` if it
    /// panicked, or the sandbox is going away.
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        match self.0.threads.spawn_blocking(work) {
            Some(running) => running.ended().await,
            None => None,
        }
    }

    /// Bytes that the memories and tables of all attempts have now.
    pub fn guest_memory_in_use(&self) -> u64 {
        self.0.sandboxes.memory.in_use()
    }

    /// Bytes that they may have together.
    pub fn guest_memory_limit(&self) -> u64 {
        self.0.sandboxes.memory.limit()
    }
}

/// The attempt of which nothing is left, because the host panicked outside of any call into the guest.
fn host_fault() -> Ended {
    tracing::error!("the host panicked around an attempt, which is ended");
    let failure = Failure::new(ErrorClass::Transient, "a fault of the host ended the attempt");
    Ended { verdict: Verdict::Failed(failure), evidence: Evidence::default() }
}

//! From files to a plugin: read, digest, manifest, compile or take from the cache, prepare. Whatever goes wrong is a
//! reason in words; nothing that serves is touched here.
//!
//! Two things are waited for. *Room* is taken to read files and to try a worker, which lasts seconds at the worst; the
//! *turn* is taken to compile, which may last minutes. A load that has to wait for the turn holds nothing meanwhile,
//! not even what it read: what is compiled already never waits for what is not.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::cache::{Cache, Kept};
use super::compile::Compile;
use super::files::Files;
use super::folder::Pair;
use super::loaded::Unfit;
use super::terms::Bounds;
use super::{Manifest, Plugin};
use crate::job::Kind;
use crate::sandbox::{LoadError, Sandbox, Worker};

/// Loads that read files and try workers at once: each holds a component and its code, and one of the sandbox's places
/// beside those of attempts.
const ROOM: usize = 3;
/// Said of a load that panicked.
pub(super) const PANICKED: &str = "loading it panicked: this is a fault of the host, please report it";
/// How a component begins.
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

/// What makes plugins.
pub(super) struct Loader {
    sandbox: Sandbox,
    compiler: Arc<dyn Compile>,
    cache: Arc<Cache>,
    bounds: Bounds,
    room: Semaphore,
    turn: Arc<Semaphore>,
}

/// A version of a plugin's files, to be loaded.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) folder: PathBuf,
    pub(super) pair: Pair,
    /// What serves now: its worker is kept if the component is the same.
    pub(super) old: Option<Arc<Plugin>>,
}

/// Why a load made no plugin.
#[derive(Debug)]
pub(super) enum Unloaded {
    /// A file was another version by the time it was read.
    Changed,
    /// Not this version.
    Refused(String),
    /// Not now.
    Full(String),
    /// It did not compile, now or before; it has this digest.
    Quarantined(String, String),
}

impl Loader {
    pub(super) fn new(
        sandbox: Sandbox,
        compiler: Arc<dyn Compile>,
        cache: Arc<Cache>,
        bounds: Bounds,
    ) -> Self {
        let (room, turn) = (Semaphore::new(ROOM), Arc::new(Semaphore::new(1)));
        Self { sandbox, compiler, cache, bounds, room, turn }
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Makes a plugin of the files, or says why not.
    pub(super) async fn load(&self, request: Request) -> Result<Plugin, Unloaded> {
        match self.load_compiled(&request).await? {
            Some(plugin) => Ok(plugin),
            None => self.load_anew(&request).await,
        }
    }

    /// Makes a plugin of what is compiled already; `None` if it is not.
    async fn load_compiled(&self, request: &Request) -> Result<Option<Plugin>, Unloaded> {
        let _room = self.room.acquire().await?;
        let Files { component, digest, manifest } = self.read(request).await?;
        if let Some(old) = request.old.as_ref().filter(|old| old.digest() == digest) {
            return self.plugin(old.worker().clone(), manifest).await.map(Some);
        }
        let Some(code) = self.cached(&request.kind, &digest).await? else { return Ok(None) };
        match self.sandbox.prepare(request.kind.clone(), &component, &code, digest.clone()).await {
            Ok(worker) => self.plugin(worker, manifest).await.map(Some),
            Err(LoadError::StaleCode(reason)) => {
                tracing::info!(kind = %request.kind, reason, "compiled code is compiled again");
                self.cache.forget_code(&digest);
                Ok(None)
            }
            Err(error) => Err(unloaded(error)),
        }
    }

    /// Makes a plugin of what is not compiled yet. The files are read once more, because many may be waiting.
    async fn load_anew(&self, request: &Request) -> Result<Plugin, Unloaded> {
        let turn = self.turn.clone().acquire_owned().await?;
        let Files { component, digest, manifest } = self.read(request).await?;
        // Another kind may have the same component.
        let (code, turn) = match self.cached(&request.kind, &digest).await? {
            Some(code) => (code, turn),
            None => self.compile(&request.kind, component.clone(), &digest, turn).await?,
        };
        // Before the turn is given on, so that compiled code is not piled up here.
        let _room = self.room.acquire().await?;
        drop(turn);
        let worker = self.sandbox.prepare(request.kind.clone(), &component, &code, digest).await;
        self.plugin(worker.map_err(unloaded)?, manifest).await
    }

    async fn read(&self, request: &Request) -> Result<Files, Unloaded> {
        let (request, bounds) = (request.clone(), self.bounds);
        blocking(move || Files::read(&request, &bounds)).await?
    }

    async fn plugin(&self, worker: Worker, manifest: Manifest) -> Result<Plugin, Unloaded> {
        let bounds = self.bounds;
        // Compiling a schema can take a while as well.
        Ok(blocking(move || Plugin::new(worker, &manifest, &bounds)).await??)
    }

    /// The code that was compiled from a component, if it is kept.
    async fn cached(&self, kind: &Kind, digest: &str) -> Result<Option<Vec<u8>>, Unloaded> {
        if let Some(reason) = self.cache.quarantined(digest) {
            return Err(Unloaded::Quarantined(digest.to_owned(), quarantine_reason(kind, &reason)));
        }
        let (cache, digest) = (self.cache.clone(), digest.to_owned());
        blocking(move || cache.code(&digest)).await
    }

    /// Compiles. The turn is held by the thread that does it, because nothing can stop that: whoever waits for it may
    /// be gone long before.
    async fn compile(
        &self,
        kind: &Kind,
        component: Arc<Vec<u8>>,
        digest: &str,
        turn: OwnedSemaphorePermit,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), Unloaded> {
        let (compiler, cache, named) = (self.compiler.clone(), self.cache.clone(), digest.to_owned());
        let is_component = component.starts_with(COMPONENT_HEADER);
        let compiled = detached(move || {
            let compiled = compiler.compile(&component);
            if let Ok(code) = &compiled {
                cache.keep_code(&named, code);
            }
            compiled.map(|code| (code, turn))
        });
        match compiled.await? {
            Ok(compiled) => Ok(compiled),
            // What is not even a component is found out as quickly again.
            Err(LoadError::Refused(reason)) if is_component => Err(self.quarantine(kind, digest, &reason)),
            Err(error) => Err(unloaded(error)),
        }
    }

    fn quarantine(&self, kind: &Kind, digest: &str, reason: &str) -> Unloaded {
        match self.cache.quarantine(digest, reason) {
            Kept::Yes => Unloaded::Quarantined(digest.to_owned(), quarantine_reason(kind, reason)),
            Kept::No => Unloaded::Refused(reason.to_owned()),
        }
    }
}

fn unloaded(error: LoadError) -> Unloaded {
    match error {
        LoadError::NoRoom(reason) => Unloaded::Full(reason),
        LoadError::Incomplete(reason) | LoadError::Refused(reason) | LoadError::StaleCode(reason) => {
            Unloaded::Refused(reason)
        }
    }
}

fn quarantine_reason(kind: &Kind, reason: &str) -> String {
    format!(
        "{reason} (not compiled again until the file changes; `flyball plugins retry {kind}` tries it once more)"
    )
}

fn refused(reason: &impl ToString) -> Unloaded {
    Unloaded::Refused(reason.to_string())
}

/// Runs what blocks on a thread where that is fine. A panic there is a reason like any other.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unloaded> {
    spawn_blocking(work).await.map_err(|_| refused(&PANICKED))
}

/// Runs what may take minutes on a thread that nobody waits for when the process ends.
async fn detached<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Unloaded> {
    let (done, result) = tokio::sync::oneshot::channel();
    let work = move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    };
    let started = std::thread::Builder::new().name("compile".into()).spawn(work);
    started.map_err(|error| refused(&format!("no thread to compile it on: {error}")))?;
    // A panic drops the sender.
    result.await.map_err(|_| refused(&PANICKED))
}

impl From<Unfit> for Unloaded {
    fn from(unfit: Unfit) -> Self {
        refused(&unfit)
    }
}

impl From<AcquireError> for Unloaded {
    fn from(closed: AcquireError) -> Self {
        // Not reached: nobody closes them.
        refused(&closed)
    }
}

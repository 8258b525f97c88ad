//! From files to a plugin: read, digest, manifest, compile or take from the cache, prepare. Whatever goes wrong is a
//! reason in words; nothing that serves is touched here.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::cache::{Cache, Kept, hex};
use super::compile::Compile;
use super::folder::{Pair, Seen, Stamp};
use super::loaded::Unfit;
use super::read::{Unread, read_whole};
use super::terms::{Bounds, Terms, Wishes};
use super::{Document, Manifest, Plugin};
use crate::job::Kind;
use crate::sandbox::{LoadError, Sandbox, Worker};

/// The most bytes of a component.
const MAX_COMPONENT_BYTES: u64 = 32 << 20;
/// The most bytes of a manifest.
const MAX_MANIFEST_BYTES: u64 = 64 << 10;
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
    /// Whoever holds it compiles; the others wait their turn.
    turn: Semaphore,
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

struct Files {
    component: Arc<Vec<u8>>,
    digest: String,
    manifest: Manifest,
}

impl Loader {
    pub(super) fn new(
        sandbox: Sandbox,
        compiler: Arc<dyn Compile>,
        cache: Arc<Cache>,
        bounds: Bounds,
    ) -> Self {
        Self { sandbox, compiler, cache, bounds, turn: Semaphore::new(1) }
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Makes a plugin of the files, or says why not.
    pub(super) async fn load(&self, request: Request) -> Result<Plugin, Unloaded> {
        let (kind, old, bounds) = (request.kind.clone(), request.old.clone(), self.bounds);
        let files = blocking(move || read_files(&request, &bounds)).await??;
        let worker = match old {
            Some(old) if old.digest() == files.digest => old.worker().clone(),
            Some(_) | None => self.prepare(&kind, files.component, files.digest).await?,
        };
        let manifest = files.manifest;
        // Compiling a schema can take a while as well.
        blocking(move || Plugin::new(worker, &manifest, &bounds)).await?.map_err(|unfit| refused(&unfit))
    }

    async fn prepare(
        &self,
        kind: &Kind,
        component: Arc<Vec<u8>>,
        digest: String,
    ) -> Result<Worker, Unloaded> {
        let _turn = self.turn.acquire().await;
        if let Some(reason) = self.cache.quarantined(&digest) {
            return Err(Unloaded::Quarantined(digest, quarantine_reason(kind, &reason)));
        }
        let cached = {
            let (cache, digest) = (self.cache.clone(), digest.clone());
            blocking(move || cache.code(&digest)).await?
        };
        if let Some(code) = cached {
            match self.sandbox.prepare(kind.clone(), &component, &code, digest.clone()).await {
                // Compiled below, as if it had not been there.
                Err(LoadError::StaleCode(reason)) => {
                    tracing::info!(%kind, reason, "compiled code is compiled again")
                }
                Ok(worker) => return Ok(worker),
                Err(error) => return Err(self.unloaded(error)),
            }
        }
        let code = self.compile(kind, component.clone(), &digest).await?;
        self.sandbox
            .prepare(kind.clone(), &component, &code, digest)
            .await
            .map_err(|error| self.unloaded(error))
    }

    async fn compile(&self, kind: &Kind, component: Arc<Vec<u8>>, digest: &str) -> Result<Vec<u8>, Unloaded> {
        let (compiler, cache, named) = (self.compiler.clone(), self.cache.clone(), digest.to_owned());
        let is_component = component.starts_with(COMPONENT_HEADER);
        let compiled = detached(move || {
            let compiled = compiler.compile(&component);
            if let Ok(code) = &compiled {
                cache.keep_code(&named, code);
            }
            compiled
        });
        match compiled.await? {
            Ok(code) => Ok(code),
            // What is not even a component is found out as quickly again.
            Err(LoadError::Refused(reason)) if is_component => Err(self.quarantine(kind, digest, &reason)),
            Err(error) => Err(self.unloaded(error)),
        }
    }

    fn quarantine(&self, kind: &Kind, digest: &str, reason: &str) -> Unloaded {
        match self.cache.quarantine(digest, reason) {
            Kept::Yes => Unloaded::Quarantined(digest.to_owned(), quarantine_reason(kind, reason)),
            Kept::No => Unloaded::Refused(reason.to_owned()),
        }
    }

    fn unloaded(&self, error: LoadError) -> Unloaded {
        match error {
            LoadError::NoRoom(reason) => Unloaded::Full(reason),
            LoadError::Incomplete(reason) | LoadError::Refused(reason) | LoadError::StaleCode(reason) => {
                Unloaded::Refused(reason)
            }
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

fn read_files(request: &Request, bounds: &Bounds) -> Result<Files, Unloaded> {
    let Request { kind, folder, pair, old: _ } = request;
    let manifest = match &pair.manifest {
        Some(seen) => read_manifest(&folder.join(format!("{kind}.toml")), seen, bounds)?,
        None => Manifest::default(),
    };
    let component = match &pair.component {
        Seen::File(stamp) => read_file(&folder.join(format!("{kind}.wasm")), stamp, MAX_COMPONENT_BYTES)?,
        Seen::Unfit(reason) => return Err(refused(reason)),
    };
    let digest = hex(&component);
    Ok(Files { component: Arc::new(component), digest, manifest })
}

fn read_manifest(path: &std::path::Path, seen: &Seen, bounds: &Bounds) -> Result<Manifest, Unloaded> {
    let shown = path.display().to_string();
    let stamp = match seen {
        Seen::File(stamp) => stamp,
        Seen::Unfit(reason) => return Err(Unloaded::Refused(format!("{shown}: {reason}"))),
    };
    let text = String::from_utf8(read_file(path, stamp, MAX_MANIFEST_BYTES)?)
        .map_err(|_| Unloaded::Refused(format!("{shown}: it is not UTF-8 text; write it as UTF-8")))?;
    let manifest = Manifest::parse(&shown, &text).map_err(|error| refused(&error))?;
    // What no worker could change is told before anything is compiled.
    match Terms::resolve(&manifest.wishes(), &Wishes::default(), bounds) {
        Ok(_) => Ok(manifest),
        Err(excess) => {
            Err(refused(&Document::new(&shown, &text).error_at(excess.wanted.key(), &excess.to_string())))
        }
    }
}

fn read_file(path: &std::path::Path, stamp: &Stamp, most: u64) -> Result<Vec<u8>, Unloaded> {
    let shown = path.display();
    if stamp.size() > most {
        let size = stamp.size();
        return Err(Unloaded::Refused(format!(
            "{shown} has {size} bytes, {most} are allowed: make it smaller"
        )));
    }
    read_whole(path, stamp).map_err(|unread| match unread {
        Unread::Changed => Unloaded::Changed,
        Unread::Failed(error) => Unloaded::Refused(format!("reading {shown} failed: {error}")),
    })
}

impl From<Unfit> for Unloaded {
    fn from(unfit: Unfit) -> Self {
        refused(&unfit)
    }
}

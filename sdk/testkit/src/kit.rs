//! The sandbox that workers are tried in.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flyball::cli::build;
use flyball::clock::Clock;
use flyball::event::Events;
use flyball::job::Kind;
use flyball::plugin::{Ceilings, Plugin, Plugins, PluginsConfig};
use flyball::sandbox::{Sandbox, SandboxConfig};
use tokio::runtime::Runtime;

use crate::{TestKitError, Worker};

/// Loads workers and runs them, one job at a time. To be made once for many tests: it starts threads. Its calls block,
/// and may be made from anywhere.
pub struct TestKit {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    /// Jobs are tried in turn: each sets the clock.
    pub(crate) turn: Mutex<()>,
    cache: Option<PathBuf>,
    runtime: Runtime,
}

impl TestKit {
    /// A kit that compiles every worker anew.
    ///
    /// # Errors
    /// When this machine can't run workers.
    pub fn new() -> Result<Arc<Self>, TestKitError> {
        Self::start(None)
    }

    /// A kit that keeps compiled code in a folder: only you may be able to write to it. In tests,
    /// `env!("CARGO_TARGET_TMPDIR")` is a good one.
    ///
    /// # Errors
    /// When this machine can't run workers.
    pub fn caching_in(folder: impl Into<PathBuf>) -> Result<Arc<Self>, TestKitError> {
        Self::start(Some(folder.into()))
    }

    fn start(cache: Option<PathBuf>) -> Result<Arc<Self>, TestKitError> {
        let clock = Clock::anchored();
        let sandbox = Sandbox::start(SandboxConfig { slots: 1, ..SandboxConfig::default() }, clock.clone())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|source| TestKitError::File { doing: "starting a thread".into(), source })?;
        Ok(Arc::new(Self { sandbox, clock, turn: Mutex::default(), cache, runtime }))
    }

    /// Builds the worker of a crate, and loads it: `env!("CARGO_MANIFEST_DIR")` is the crate of the test.
    ///
    /// # Errors
    /// When it does not build or is refused, with the reason.
    pub fn build(self: &Arc<Self>, dir: impl AsRef<Path>) -> Result<Worker, TestKitError> {
        let folder = folder()?;
        let (dir, into) = (dir.as_ref().to_owned(), folder.path().to_owned());
        let building = async move {
            build::install_target(&dir).await?;
            build::build_workspace(&dir, &into).await
        };
        let built = self.wait(building)?.map_err(|error| TestKitError::Build(format!("{error:#}")))?;
        match built.as_slice() {
            [kind] => self.load(folder.path(), kind),
            several => {
                let kinds: Vec<&str> = several.iter().map(Kind::as_str).collect();
                let kinds = kinds.join(", ");
                Err(TestKitError::Build(format!("it holds several workers, name the folder of one: {kinds}")))
            }
        }
    }

    /// Loads a component, with the manifest that lies beside it: `<kind>.wasm` and `<kind>.toml`.
    ///
    /// # Errors
    /// When it can't be read or is refused, with the reason.
    pub fn worker(self: &Arc<Self>, component: impl AsRef<Path>) -> Result<Worker, TestKitError> {
        let component = component.as_ref();
        let kind = Kind::new(&component.file_stem().unwrap_or_default().to_string_lossy())?;
        let folder = folder()?;
        copy(component, &folder.path().join(format!("{kind}.wasm")))?;
        let manifest = component.with_extension("toml");
        if manifest.is_file() {
            copy(&manifest, &folder.path().join(format!("{kind}.toml")))?;
        }
        self.load(folder.path(), &kind)
    }

    fn load(self: &Arc<Self>, folder: &Path, kind: &Kind) -> Result<Worker, TestKitError> {
        let config = PluginsConfig {
            folder: folder.to_owned(),
            cache: self.cache.clone(),
            ceilings: Ceilings::default(),
        };
        let plugins = Plugins::open(config, self.sandbox.clone(), self.clock.clone(), Events::default());
        let wanted = kind.clone();
        let loading = async move {
            plugins.load_all_once().await;
            let plugin: Option<Arc<Plugin>> = plugins.catalog().borrow().get(&wanted).cloned();
            plugin.ok_or_else(|| plugins.statuses().into_iter().find_map(|status| status.reason))
        };
        let refused = |reason: Option<String>| {
            TestKitError::Refused(format!(
                "{kind}.wasm: {}",
                reason.unwrap_or_else(|| "no reason given".into())
            ))
        };
        Ok(Worker::new(self.wait(loading)?.map_err(refused)?, Arc::clone(self)))
    }

    /// Waits for something on the kit's own thread: whoever calls may be on one that must not block on such things.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, TestKitError> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            // Whoever asked waits until this is told, unless it panics.
            let _told = tell.send(work.await);
        });
        told.recv().map_err(|_| TestKitError::Lost("something panicked; see above".into()))
    }

    /// The turn of one job.
    pub(crate) fn turn(&self) -> std::sync::MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn folder() -> Result<tempfile::TempDir, TestKitError> {
    let made = tempfile::Builder::new().prefix("flyball-testkit-").tempdir();
    made.map_err(|source| TestKitError::File { doing: "making a folder".into(), source })
}

fn copy(from: &Path, to: &Path) -> Result<(), TestKitError> {
    let copied = std::fs::copy(from, to);
    copied
        .map(drop)
        .map_err(|source| TestKitError::File { doing: format!("reading {}", from.display()), source })
}

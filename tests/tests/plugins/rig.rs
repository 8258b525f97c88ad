//! A plugins folder with the service that watches it, and what is needed to see what becomes of files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use flyball::clock::Clock;
use flyball::event::{Consumer, Event, Events};
use flyball::job::Kind;
use flyball::plugin::{Ceilings, Compile, Plugin, PluginState, PluginStatus, Plugins, PluginsConfig};
use flyball::sandbox::{LoadError, Sandbox, SandboxConfig};
use flyball_tests::{GENEROUS, guests};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Compiling takes its time where nothing was optimised and others want the processor too.
pub(crate) const PATIENCE: Duration = GENEROUS.saturating_mul(4);

/// A folder that is watched.
pub(crate) struct Rig {
    pub(crate) home: TempDir,
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
    events: Consumer,
    token: CancellationToken,
}

/// Compiles as a node does.
pub(crate) struct Here(pub(crate) Sandbox);

impl Compile for Here {
    fn compile(&self, component: &[u8]) -> Result<Vec<u8>, LoadError> {
        self.0.compile(component)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.token.cancel();
    }
}

impl Rig {
    /// With an empty folder, and a cache.
    pub(crate) fn new() -> Result<Self> {
        let home = tempfile::tempdir().context("make a folder")?;
        fs::create_dir(home.path().join("plugins"))?;
        Self::at(home)
    }

    /// In a home that is there already.
    pub(crate) fn at(home: TempDir) -> Result<Self> {
        Self::compiling(home, |sandbox| Arc::new(Here(sandbox)))
    }

    /// In a home that is there already, with a compiler of its own.
    pub(crate) fn compiling(
        home: TempDir,
        compiler: impl FnOnce(Sandbox) -> Arc<dyn Compile>,
    ) -> Result<Self> {
        let clock = Clock::system();
        let config = SandboxConfig { guest_memory: 1 << 30, slots: 4, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(config, clock.clone())?;
        let events = Events::default();
        let consumer = events.subscribe(1000);
        let config = PluginsConfig {
            folder: home.path().join("plugins"),
            cache: Some(home.path().join("cache")),
            ceilings: Ceilings::default(),
        };
        let compiler = compiler(sandbox.clone());
        let plugins = Plugins::with_compiler(config, sandbox.clone(), clock, events, compiler);
        Ok(Self { home, plugins, sandbox, events: consumer, token: CancellationToken::new() })
    }

    /// Begins to watch.
    pub(crate) fn watched(self) -> Self {
        let (plugins, token) = (self.plugins.clone(), self.token.clone());
        tokio::spawn(async move { plugins.run(token).await });
        self
    }

    /// Stops, and gives the home back for another to start in.
    pub(crate) fn stopped(mut self) -> Result<TempDir> {
        let elsewhere = tempfile::tempdir()?;
        Ok(std::mem::replace(&mut self.home, elsewhere))
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("plugins")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    /// Waits until the file stands like this, and gives its status.
    pub(crate) async fn until(&self, file: &str, state: PluginState) -> Result<PluginStatus> {
        self.until_status(file, |status| status.state == state)
            .await
            .with_context(|| format!("{file} {state:?}"))
    }

    /// Waits until the status of the file is so.
    pub(crate) async fn until_status(
        &self,
        file: &str,
        so: impl Fn(&PluginStatus) -> bool,
    ) -> Result<PluginStatus> {
        let mut statuses = self.plugins.watch_statuses();
        let found =
            |statuses: &Vec<PluginStatus>| statuses.iter().any(|status| status.file == file && so(status));
        let waited = tokio::time::timeout(PATIENCE, statuses.wait_for(found)).await;
        match waited {
            Ok(statuses) => {
                statuses?.iter().find(|status| status.file == file).cloned().context("found a moment ago")
            }
            Err(_) => bail!("waited {PATIENCE:?}; at last: {:?}", self.plugins.statuses()),
        }
    }

    /// Waits until the plugin of the kind is so, and gives it.
    pub(crate) async fn until_serving(
        &self,
        kind: &str,
        so: impl Fn(&Plugin) -> bool,
    ) -> Result<Arc<Plugin>> {
        let kind = Kind::new(kind)?;
        let mut catalog = self.plugins.catalog();
        let serving = catalog.wait_for(|catalog| catalog.get(&kind).is_some_and(|plugin| so(plugin)));
        let Ok(catalog) = tokio::time::timeout(PATIENCE, serving).await else {
            bail!("waited {PATIENCE:?} for {kind}; at last: {:?}", self.plugins.statuses());
        };
        catalog?.get(&kind).cloned().context("found a moment ago")
    }

    /// The next event of plugins.
    pub(crate) async fn event(&mut self) -> Result<Event> {
        let next = tokio::time::timeout(PATIENCE, self.events.next()).await;
        next.with_context(|| format!("no event in {PATIENCE:?}"))?.context("events ended")
    }
}

/// The bytes of a guest.
pub(crate) async fn component(guest: &'static str) -> Result<Vec<u8>> {
    // The first that asks builds a workspace.
    let built = tokio::task::spawn_blocking(move || anyhow::Ok(fs::read(guests::find(guest)?.component)?));
    built.await?
}

/// Another component that does the same: one custom section more.
pub(crate) fn varied(component: &[u8], mark: u8) -> Vec<u8> {
    [component, &[0, 3, 1, b'v', mark]].concat()
}

/// Writes a file so that it appears whole.
pub(crate) fn place(path: &Path, bytes: &[u8]) -> Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)?;
    fs::rename(&part, path).with_context(|| format!("place {}", path.display()))
}

//! One plugin, loaded as a node would load it, from a folder that holds nothing else.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::clock::Clock;
use crate::event::Events;
use crate::job::Kind;
use crate::plugin::{Plugin, Plugins, PluginsConfig};
use crate::sandbox::Sandbox;

/// A folder with one component, and its manifest if it has one. It goes when this goes.
#[derive(Debug)]
pub(in crate::cli) struct Alone {
    folder: tempfile::TempDir,
    kind: Kind,
}

impl Alone {
    /// What is given: a kind in the plugins folder, or a file, which a `/` or its ending tells.
    pub(super) fn find(given: &str, plugins: &Path) -> anyhow::Result<Self> {
        if given.ends_with(".wasm") || given.contains('/') {
            return Self::of_file(Path::new(given));
        }
        Self::of_kind(
            &given.parse().context("a worker is a kind, or a file whose name ends with .wasm")?,
            plugins,
        )
    }

    /// The worker of a kind.
    pub(in crate::cli) fn of_kind(kind: &Kind, plugins: &Path) -> anyhow::Result<Self> {
        let file = plugins.join(format!("{kind}.wasm"));
        if !file.is_file() {
            bail!(
                "there is no worker for the kind {kind}: {} does not exist; `flyball build` puts a worker there, and \
                 --plugins names another folder",
                file.display()
            );
        }
        Self::of_file(&file)
    }

    /// A component and the manifest that lies beside it; the kind is the name of the file.
    pub(in crate::cli) fn of_file(component: &Path) -> anyhow::Result<Self> {
        let shown = component.display();
        if !component.is_file() {
            bail!("there is no file {shown}");
        }
        let stem = component.file_stem().unwrap_or_default().to_string_lossy();
        let kind =
            Kind::new(&stem).with_context(|| format!("the name of {shown} is to be its kind: rename it"))?;
        let folder = tempfile::Builder::new().prefix("flyball-run-").tempdir();
        let folder = folder.context("making a folder to load the worker from")?;
        let copy = |from: &Path, extension: &str| {
            let to = folder.path().join(format!("{kind}.{extension}"));
            std::fs::copy(from, &to).with_context(|| format!("copying {} to load it", from.display()))
        };
        copy(component, "wasm")?;
        let manifest = component.with_extension("toml");
        if manifest.is_file() {
            copy(&manifest, "toml")?;
        }
        Ok(Self { folder, kind })
    }

    /// The kind that it is.
    pub(in crate::cli) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Where it is.
    pub(in crate::cli) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Loads it: all but its folder is as configured.
    pub(super) async fn load(
        &self,
        config: &PluginsConfig,
        sandbox: &Sandbox,
        clock: &Clock,
    ) -> anyhow::Result<Arc<Plugin>> {
        let config = PluginsConfig { folder: self.folder.path().to_owned(), ..config.clone() };
        let plugins = Plugins::open(config, sandbox.clone(), clock.clone(), Events::default());
        plugins.load_all_once().await;
        if let Some(plugin) = plugins.catalog().borrow().get(&self.kind) {
            return Ok(plugin.clone());
        }
        let reason = plugins.statuses().into_iter().find_map(|status| status.reason);
        bail!("{}.wasm was refused: {}", self.kind, reason.unwrap_or_else(|| "no reason was given".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_found_by_its_kind_or_by_its_file_and_comes_with_its_manifest() {
        let plugins = tempfile::tempdir().expect("a folder");
        std::fs::write(plugins.path().join("a.wasm"), "component").expect("written");
        std::fs::write(plugins.path().join("a.toml"), "[limits]").expect("written");
        std::fs::write(plugins.path().join("b_c.wasm"), "component").expect("written");
        let file = plugins.path().join("b_c.wasm").display().to_string();
        for (given, kind, files) in [("a", "a", 2), (file.as_str(), "b_c", 1)] {
            let alone = Alone::find(given, plugins.path()).expect(given);
            assert_eq!(alone.kind().as_str(), kind);
            assert_eq!(std::fs::read_dir(alone.folder()).expect("there").count(), files);
        }
    }

    #[test]
    fn what_is_not_there_is_refused_with_advice() {
        let refused = |given| format!("{:#}", Alone::find(given, Path::new("plugins")).expect_err(given));
        insta::assert_snapshot!(refused("absent"), @"there is no worker for the kind absent: plugins/absent.wasm does not exist; `flyball build` puts a worker there, and --plugins names another folder");
        insta::assert_snapshot!(refused("./absent.wasm"), @"there is no file ./absent.wasm");
        insta::assert_snapshot!(refused("No Kind"), @r#"a worker is a kind, or a file whose name ends with .wasm: kind "No Kind" is not valid: 1 to 64 of a-z, 0-9, _ and -, beginning with a letter"#);
    }
}

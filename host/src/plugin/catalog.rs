//! The plugins in service: an immutable map that is replaced whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Plugin;
use crate::job::Kind;
use crate::store::{PublishedKind, ServedKind};

/// Kind to plugin.
#[derive(Clone, Debug, Default)]
pub struct Catalog(BTreeMap<Kind, Arc<Plugin>>);

impl Catalog {
    /// The plugin of a kind, if it is in service.
    pub fn get(&self, kind: &Kind) -> Option<&Arc<Plugin>> {
        self.0.get(kind)
    }

    /// All plugins, by kind.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Plugin>> {
        self.0.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a claim asks for.
    pub fn served(&self) -> Vec<ServedKind> {
        self.iter().map(|plugin| plugin.served()).collect()
    }

    /// What a node tells of itself.
    pub fn published(&self) -> Vec<PublishedKind> {
        self.iter().map(|plugin| plugin.published()).collect()
    }

    /// This catalog, but with the plugin in the place of its kind.
    #[must_use]
    pub fn with(&self, plugin: Arc<Plugin>) -> Self {
        let mut plugins = self.0.clone();
        plugins.insert(plugin.kind().clone(), plugin);
        Self(plugins)
    }

    /// This catalog, but for the kind.
    #[must_use]
    pub fn without(&self, kind: &Kind) -> Self {
        let mut plugins = self.0.clone();
        plugins.remove(kind);
        Self(plugins)
    }
}

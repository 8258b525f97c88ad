//! Which foreign code: the files in the plugins folder, and the workers that they became.
//!
//! A *plugin* is a component `<kind>.wasm` with, optionally, a manifest `<kind>.toml` beside it. [`Plugins`] watches
//! the folder; what it loaded is in its [`Catalog`], an immutable map that is replaced whole. Whatever goes wrong with a
//! file leaves the plugin that was in service before, and its [`PluginStatus`] says why.

mod cache;
mod catalog;
mod compile;
mod desk;
mod document;
mod files;
mod folder;
mod follow_up;
mod grants;
mod imports;
mod inspect;
mod loaded;
mod loader;
mod manifest;
mod read;
mod service;
mod status;
mod terms;
mod vault;
mod watcher;

pub use catalog::Catalog;
pub use compile::Compile;
pub use document::DocumentError;
pub(crate) use document::{Document, Later};
pub use follow_up::Asker;
pub use grants::Grants;
pub use inspect::{InspectError, Inspected, Released};
pub use loaded::Plugin;
pub use manifest::Manifest;
pub use service::{Plugins, PluginsConfig};
pub use status::{PluginState, PluginStatus};
pub use terms::{Ceilings, Origin, Term, Terms};

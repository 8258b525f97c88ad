//! One plugin by itself, wherever its file lies: for people who want to know before, or instead of, having it serve.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::cache::hex;
use super::folder::{Pair, Seen, see};
use super::imports::imports_of;
use super::loader::{Request, Unloaded};
use super::read::read_whole;
use super::{Plugin, Plugins, Terms};
use crate::job::{Json, Kind};

/// A file that makes a plugin, and what is to know of it.
#[derive(Clone, Debug, Serialize)]
pub struct Inspected {
    /// The kind: its name.
    pub kind: Kind,
    /// The SHA-256 of the component.
    pub digest: String,
    /// One line by its author.
    pub summary: String,
    /// What it imports.
    pub imports: Vec<String>,
    /// The grants without which its author says that it can't work.
    pub needs: Vec<String>,
    /// What its manifest grants.
    pub granted: Vec<String>,
    /// What it needs and was not granted.
    pub missing: Vec<String>,
    /// What its jobs get if they ask for nothing.
    pub terms: Terms,
    /// The schema of its args.
    pub args_schema: Option<Json>,
}

/// Why a file makes no plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// There is no such file.
    #[error("there is no {}", .0.display())]
    NotFound(PathBuf),
    /// It is not one, for a reason that says what to do.
    #[error("{0}")]
    Refused(String),
}

/// What became of a component in quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Released {
    /// It is free to be compiled again.
    Freed,
    /// It was not in quarantine.
    Free,
}

impl Plugins {
    /// Loads one component with the manifest beside it, without putting it into service.
    ///
    /// # Errors
    /// [`InspectError`] as a load would refuse it.
    pub async fn inspect(&self, component: &Path) -> Result<Inspected, InspectError> {
        let (kind, folder) = place_of(component)?;
        let seen = see(component).ok_or_else(|| InspectError::NotFound(component.to_owned()))?;
        let imports = imports_of(&read(component, &seen)?);
        let manifest = see(&folder.join(format!("{kind}.toml")));
        let request = Request { kind, folder, pair: Pair { component: seen, manifest }, old: None };
        match self.loader().load(request).await {
            Ok(plugin) => Ok(Inspected::of(&Arc::new(plugin), imports)),
            Err(Unloaded::Changed) => Err(refused("it changed while it was read: try again")),
            Err(Unloaded::Refused(reason) | Unloaded::Full(reason) | Unloaded::Quarantined(_, reason)) => {
                Err(InspectError::Refused(reason))
            }
        }
    }

    /// Lifts the quarantine of a component. A node that has it in its folder tries it again within seconds.
    ///
    /// # Errors
    /// When there is no such file, or the cache folder can't be written to.
    pub fn release(&self, component: &Path) -> Result<Released, InspectError> {
        let seen = see(component).ok_or_else(|| InspectError::NotFound(component.to_owned()))?;
        let digest = hex(&read(component, &seen)?);
        match self.loader().cache().release(&digest) {
            Ok(true) => Ok(Released::Freed),
            Ok(false) => Ok(Released::Free),
            Err(error) => Err(InspectError::Refused(format!("lifting the quarantine failed: {error}"))),
        }
    }
}

impl Inspected {
    fn of(plugin: &Plugin, imports: Vec<String>) -> Self {
        let description = plugin.worker().description();
        let missing = plugin.grants().missing(&description.needs).into_iter().map(str::to_owned).collect();
        Self {
            kind: plugin.kind().clone(),
            digest: plugin.digest().to_owned(),
            summary: description.summary.clone(),
            imports,
            needs: description.needs.clone(),
            granted: plugin.grants().lines(),
            missing,
            terms: *plugin.terms(),
            args_schema: description.args_schema.clone(),
        }
    }
}

fn place_of(component: &Path) -> Result<(Kind, PathBuf), InspectError> {
    let name = component.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.strip_suffix(".wasm").ok_or_else(|| refused("its name does not end in .wasm"))?;
    let kind =
        Kind::new(stem).map_err(|error| refused(&format!("its name has to be <kind>.wasm: {error}")))?;
    Ok((kind, component.parent().unwrap_or(Path::new("")).to_owned()))
}

fn read(component: &Path, seen: &Seen) -> Result<Vec<u8>, InspectError> {
    match seen {
        Seen::File(stamp) => {
            read_whole(component, stamp).map_err(|unread| refused(&format!("reading it failed: {unread}")))
        }
        Seen::Unfit(reason) => Err(refused(reason)),
    }
}

fn refused(reason: &str) -> InspectError {
    InspectError::Refused(reason.to_owned())
}

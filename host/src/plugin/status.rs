//! How the files of the plugins folder stand, for people.

use serde::Serialize;

use crate::job::Kind;

/// How one file stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PluginStatus {
    /// The file's name; its component's, where there is one.
    pub file: String,
    /// Its kind, if its name is one.
    pub kind: Option<Kind>,
    /// What became of it.
    pub state: PluginState,
    /// Why it was refused, and what to do.
    pub reason: Option<String>,
    /// The digest of the component in service: an older one, if the file was refused or is not loaded yet.
    pub component_digest: Option<String>,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginState {
    /// It changed just now: taken when it stops changing.
    Settling,
    /// It is being read and compiled, or waits for its turn.
    Compiling,
    /// It is in service.
    Loaded,
    /// It was not taken.
    Refused,
}

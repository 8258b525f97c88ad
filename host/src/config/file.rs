//! `flyball.toml`: every key that this version acts on, and no other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use super::ConfigError;
use super::limit::FileLimit;
use super::retention::RetentionTable;
use super::schedule::FileSchedule;
use super::settings::{CommonSettings, NodeSettings};
use super::value::{Listen, QueueTerms};
use crate::job::Queue;
use crate::plugin::{Ceilings, Document, DocumentError, Later};
use crate::quantity::{Bytes, Count, Span};
use crate::store::Synchronous;

/// Where it is looked for.
const DEFAULT_FILE: &str = "flyball.toml";

/// Keys of the contract that come with a later version.
const LATER: [Later; 2] = [
    Later { key: "metrics_addr", advice: "there are no metrics so far; remove the key" },
    Later { key: "ceilings.http", advice: "workers have no network so far; remove the key" },
];

/// The file as it was written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileConfig {
    database: Option<String>,
    plugins: Option<PathBuf>,
    cache: Option<PathBuf>,
    pub(super) listen: Option<Listen>,
    pub(super) queues: BTreeMap<Queue, QueueTerms>,
    ceilings: CeilingsTable,
    pub(super) node: NodeSettings,
    sqlite: SqliteTable,
    pub(super) retention: RetentionTable,
    pub(super) schedules: Vec<FileSchedule>,
    pub(super) limits: Vec<FileLimit>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CeilingsTable {
    timeout: Option<Span>,
    fuel: Option<Count>,
    memory: Option<Bytes>,
    output: Option<Bytes>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SqliteTable {
    synchronous: Option<SynchronousName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SynchronousName {
    Full,
    Normal,
}

impl FileConfig {
    /// Reads the file; without a path, the one in the working directory, which may be missing.
    pub(super) fn load(path: Option<&Path>) -> Result<(Option<PathBuf>, Self), ConfigError> {
        let file = path.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => {
                return Ok((None, Self::default()));
            }
            Err(source) => return Err(ConfigError::Read { file: file.to_owned(), source }),
        };
        let config = Self::parse(&file.display().to_string(), &text)?;
        Ok((Some(file.to_owned()), config))
    }

    pub(super) fn parse(file: &str, text: &str) -> Result<Self, DocumentError> {
        Document::new(file, text).read(&LATER)
    }

    pub(super) fn common(&self) -> CommonSettings {
        CommonSettings {
            database: self.database.clone(),
            plugins: self.plugins.clone(),
            cache: self.cache.clone(),
        }
    }

    pub(super) fn ceilings(&self) -> Ceilings {
        let host = Ceilings::default();
        let CeilingsTable { timeout, fuel, memory, output } = self.ceilings;
        Ceilings {
            timeout: timeout.map_or(host.timeout, |Span(timeout)| timeout),
            fuel: fuel.map_or(host.fuel, |Count(fuel)| fuel),
            memory_bytes: memory.map_or(host.memory_bytes, |Bytes(bytes)| bytes),
            output_bytes: output.map_or(host.output_bytes, |Bytes(bytes)| bytes),
        }
    }

    pub(super) fn synchronous(&self) -> Synchronous {
        match self.sqlite.synchronous {
            None => Synchronous::default(),
            Some(SynchronousName::Full) => Synchronous::Full,
            Some(SynchronousName::Normal) => Synchronous::Normal,
        }
    }
}

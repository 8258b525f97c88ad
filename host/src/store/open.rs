//! Opening a store: what the URL means, and what the opener wants to be.

use std::time::Duration;

use super::{Database, Result, SharedStore, StoreError};
use crate::clock::Clock;

/// How to open a store. Begin with [`OpenOptions::new`] and set what differs.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// What the opener wants to be.
    pub role: Role,
    /// What is done about a schema that is missing or older than this binary.
    pub schema: SchemaMode,
    /// The most connections for verbs (PostgreSQL) or for reads (SQLite); the lease, the listener and the writer have
    /// their own.
    pub connections: u32,
    /// The lease of nodes: lease calls time out after a third of it.
    pub lease: Duration,
    /// How hard SQLite makes a commit stick.
    pub synchronous: Synchronous,
    /// The opener's clock. With a test's clock the database's own time counts for nothing.
    pub clock: Clock,
}

/// What the opener of a store wants to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// One that enqueues, reads and operates.
    #[default]
    Client,
    /// A node that runs jobs: on SQLite it takes the file's lock, of which there is one.
    Serve {
        /// What is said to a second one that wants the lock.
        name: String,
    },
}

/// What is done about a schema that is missing or older than this binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaMode {
    /// Opening fails and says what to do.
    #[default]
    Check,
    /// It is brought up to date first.
    Migrate,
}

/// How hard SQLite makes a commit stick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// A commit survives power loss.
    #[default]
    Full,
    /// A commit survives the death of the process; power loss may take the last ones.
    Normal,
}

impl OpenOptions {
    /// A client of a schema that is there, with the defaults of the contract.
    pub fn new(clock: Clock) -> Self {
        Self {
            role: Role::default(),
            schema: SchemaMode::default(),
            connections: 8,
            lease: Duration::from_secs(15),
            synchronous: Synchronous::default(),
            clock,
        }
    }
}

/// Which database a URL names.
///
/// # Errors
/// [`StoreError::Address`] when it names none.
pub fn database_of(url: &str) -> Result<Database> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(Database::Sqlite),
        Some(("postgres" | "postgresql", _)) => Ok(Database::Postgres),
        _ => Err(StoreError::Address(format!(
            "{url:?} names no database: sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE"
        ))),
    }
}

/// Opens the store that a URL names: `sqlite:FILE` or `postgres://…`.
///
/// # Errors
/// When the URL or file can't be used, the schema does not fit, or another `serve` has the SQLite file.
pub async fn open(url: &str, options: &OpenOptions) -> Result<SharedStore> {
    let _ = options;
    Err(StoreError::Address(format!("{:?} is not built yet", database_of(url)?)))
}

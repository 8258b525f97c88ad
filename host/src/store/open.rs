//! Opening a store: what the URL means, and what the opener wants to be.

use std::sync::Arc;
use std::time::Duration;

use super::postgres::Postgres;
use super::sql_store::SqlStore;
use super::sqlite::Sqlite;
use super::statements::Edit;
use super::{Database, Result, SharedStore, StoreError, schema};
use crate::clock::Clock;
use crate::event::Events;
use crate::wake::Bell;

/// How to open a store. Begin with [`OpenOptions::new`] and set what differs.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// What the opener wants to be.
    pub role: Role,
    /// What is done about a schema that is missing or older than this binary.
    pub schema: SchemaMode,
    /// The most connections for verbs (PostgreSQL) or for reads (SQLite); the lease, the listener, the writer, deletions
    /// and the reads of guests have their own.
    pub connections: u32,
    /// The lease of nodes: lease calls time out after a third of it.
    pub lease: Duration,
    /// How hard SQLite makes a commit stick.
    pub synchronous: Synchronous,
    /// The most jobs below one root that have not ended: an attempt that asks for more fails. Two nodes that count at
    /// once may both find room; it is there to end what multiplies without end.
    pub max_descendants: u32,
    /// Who is told of what the store enqueues by itself, as the end of a job asks for: those whom the opener tells of all
    /// else.
    pub events: Events,
    /// The opener's clock. With a test's clock the database's own time counts for nothing.
    pub clock: Clock,
}

/// What the opener of a store wants to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// One that enqueues, reads and operates.
    #[default]
    Client,
    /// One that reads, and is refused whatever would change something.
    Onlooker,
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
            max_descendants: 100_000,
            events: Events::default(),
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
        // The rest of the URL may hold a password.
        other => Err(StoreError::Address(format!(
            "{:?} names no database: sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE",
            other.map_or(url, |(scheme, _)| scheme)
        ))),
    }
}

/// Opens the store that a URL names: `sqlite:FILE` or `postgres://…`.
///
/// # Errors
/// When the URL or file can't be used, the schema does not fit, or another `serve` has the SQLite file.
pub async fn open(url: &str, options: &OpenOptions) -> Result<SharedStore> {
    open_edited(url, options, &[]).await
}

/// Opens a store some of whose statements say something else.
pub(super) async fn open_edited(url: &str, options: &OpenOptions, edits: &[Edit]) -> Result<SharedStore> {
    let database = database_of(url)?;
    match options.schema {
        SchemaMode::Check => schema::check(url).await?,
        SchemaMode::Migrate => {
            schema::migrate(url, options).await?;
        }
    }
    let bell = Bell::default();
    Ok(match database {
        Database::Sqlite => {
            let db = Sqlite::open(url, options, edits, bell.clone()).await?;
            Arc::new(SqlStore::new(Arc::new(db), bell, options))
        }
        Database::Postgres => {
            let db = Postgres::open(url, options, edits, bell.clone()).await?;
            Arc::new(SqlStore::new(Arc::new(db), bell, options))
        }
    })
}

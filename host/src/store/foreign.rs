//! A caller's own connection, and so its own transaction: what is inserted there is there if and only if the caller
//! commits.

use sqlx::{PgConnection, SqliteConnection};

/// A connection of the caller's.
#[derive(Debug)]
pub enum Foreign<'c> {
    /// To the PostgreSQL database that holds the jobs.
    Postgres(&'c mut PgConnection),
    /// To the SQLite file that holds the jobs.
    Sqlite(&'c mut SqliteConnection),
}

impl<'c> From<&'c mut PgConnection> for Foreign<'c> {
    fn from(connection: &'c mut PgConnection) -> Self {
        Self::Postgres(connection)
    }
}

impl<'c> From<&'c mut SqliteConnection> for Foreign<'c> {
    fn from(connection: &'c mut SqliteConnection) -> Self {
        Self::Sqlite(connection)
    }
}

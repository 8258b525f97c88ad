//! For tests alone: the statements by name, and stores that have lost one of their fences, so that a test can show that
//! it would notice. Not part of the API.

pub use super::statements::Edit;
use super::{Database, OpenOptions, Result, SharedStore, open, postgres, sqlite};

/// Every statement of a dialect, by name.
pub fn statements(database: Database) -> Vec<(&'static str, &'static str)> {
    match database {
        Database::Sqlite => sqlite::all_statements(),
        Database::Postgres => postgres::all_statements(),
    }
}

/// The schema of a database as [`compare_schema`](super::compare_schema) sees it, a line for each object.
///
/// # Errors
/// When it can't be reached.
pub async fn schema(url: &str) -> Result<String> {
    let found = match super::database_of(url)? {
        Database::Sqlite => sqlite::found_schema(url).await?,
        Database::Postgres => postgres::found_schema(url).await?,
    };
    Ok(super::inspect::written(&found))
}

/// Opens a store some of whose statements say something else.
///
/// # Errors
/// As opening does, and when a statement does not say what is to be replaced.
pub async fn open_mutant(url: &str, options: &OpenOptions, edits: &[Edit]) -> Result<SharedStore> {
    open::open_edited(url, options, edits).await
}

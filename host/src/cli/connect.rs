//! The client that commands use, on the database that the configuration names.

use super::Globals;
use crate::client::Client;
use crate::config::Config;
use crate::store::{Database, SchemaMode, database_of};

/// Connects for a command, and closes when its work is done, however that went. Only then is it certain that other
/// processes were told of what it enqueued: they are told a little later than the command is answered.
pub(super) async fn with_client<T>(
    globals: &Globals,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let config = Config::load_common(globals)?;
    let schema = schema_mode(database_of(&config.database)?);
    let client = Client::connect_with(&config.database, &who(), schema).await?;
    let done = work(&client).await;
    client.close().await;
    done
}

/// A SQLite file is its user's own: its schema is brought up to date without asking. A PostgreSQL database is a
/// company's: that takes `flyball migrate`.
pub(super) const fn schema_mode(database: Database) -> SchemaMode {
    match database {
        Database::Sqlite => SchemaMode::Migrate,
        Database::Postgres => SchemaMode::Check,
    }
}

/// Whom an order is recorded under.
fn who() -> String {
    format!("cli:{}", rustix::process::getuid().as_raw())
}

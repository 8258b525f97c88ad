//! Migrations on SQLite: under BEGIN IMMEDIATE, with the version read again inside.

use super::connect::{migrator, onlooker};
use crate::store::schema::{Applied, Migration, enter, missing};
use crate::store::{Database, OpenOptions, Result, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};

/// The table of versions.
pub(in crate::store) const VERSIONS: &str = include_str!("../sql/schema_versions.sqlite.sql");

const DOING: &str = "migrating the schema";

pub(in crate::store) async fn migrate(url: &str, options: &OpenOptions) -> Result<Vec<Migration>> {
    let mut connection = migrator(url, options).await?;
    let done = apply(&mut connection).await;
    // Should the transaction still be open, closing ends it.
    let closed = connection.close().await;
    let applied = done?;
    closed.map_err(unavailable)?;
    Ok(applied)
}

async fn apply(connection: &mut SqliteConnection) -> Result<Vec<Migration>> {
    run(connection, "BEGIN IMMEDIATE".into()).await?;
    run(connection, VERSIONS.into()).await?;
    let missing = missing(Database::Sqlite, &versions(connection).await?)?;
    for migration in &missing {
        run(connection, migration.sql.into()).await?;
        let Migration { version, name, min_binary, .. } = *migration;
        run(connection, enter("schema_versions", version, name, min_binary)).await?;
    }
    run(connection, "COMMIT".into()).await?;
    Ok(missing)
}

/// What was applied so far; nothing if there is no such file.
pub(in crate::store) async fn applied(url: &str) -> Result<Vec<Applied>> {
    if !super::path_of(url)?.exists() {
        return Ok(Vec::new());
    }
    let mut connection = onlooker(url).await?;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = 'schema_versions'")
        .fetch_one(&mut connection)
        .await
        .map_err(unavailable)?;
    let versions = if there > 0 { versions(&mut connection).await } else { Ok(Vec::new()) };
    connection.close().await.map_err(unavailable)?;
    versions
}

async fn versions(connection: &mut SqliteConnection) -> Result<Vec<Applied>> {
    let rows = sqlx::query("SELECT version, min_binary FROM schema_versions ORDER BY version")
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
    let read = |row: &sqlx::sqlite::SqliteRow| -> sqlx::Result<Applied> {
        Ok(Applied { version: row.try_get("version")?, min_binary: row.try_get("min_binary")? })
    };
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(unavailable)
}

async fn run(connection: &mut SqliteConnection, script: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(connection).await.map(drop).map_err(unavailable)
}

fn unavailable(source: sqlx::Error) -> StoreError {
    StoreError::Unavailable { doing: DOING, source }
}

//! Migrations on PostgreSQL: in one transaction, under an advisory lock of that transaction, with the version read
//! again inside.

use super::connect::migrator;
use crate::store::schema::{Applied, Migration, enter, missing};
use crate::store::{Database, Result, StoreError};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

/// The table of versions.
pub(in crate::store) const VERSIONS: &str = include_str!("../sql/schema_versions.postgres.sql");

const DOING: &str = "migrating the schema";

/// "flyball" in bytes: the number of the advisory lock that migrations take.
const LOCK: i64 = 0x0066_6c79_6261_6c6c;

pub(in crate::store) async fn migrate(url: &str) -> Result<Vec<Migration>> {
    let mut connection = migrator(url).await?;
    let done = apply(&mut connection).await;
    // Should the transaction still be open, closing ends it.
    let closed = connection.close().await;
    let applied = done?;
    closed.map_err(unavailable)?;
    Ok(applied)
}

async fn apply(connection: &mut PgConnection) -> Result<Vec<Migration>> {
    run(connection, "BEGIN".into()).await?;
    run(connection, format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    if !there(connection, "SELECT to_regnamespace('flyball') IS NOT NULL").await? {
        // Only if need be: who may not create schemas may be given this one.
        run(connection, "CREATE SCHEMA flyball".into()).await?;
    }
    run(connection, VERSIONS.into()).await?;
    let missing = missing(Database::Postgres, &versions(connection).await?)?;
    for migration in &missing {
        run(connection, migration.sql.into()).await?;
        let Migration { version, name, min_binary, .. } = *migration;
        run(connection, enter("flyball.schema_versions", version, name, min_binary)).await?;
    }
    run(connection, "COMMIT".into()).await?;
    Ok(missing)
}

/// What was applied so far.
pub(in crate::store) async fn applied(url: &str) -> Result<Vec<Applied>> {
    let mut connection = migrator(url).await?;
    let table = there(&mut connection, "SELECT to_regclass('flyball.schema_versions') IS NOT NULL").await?;
    let versions = if table { versions(&mut connection).await } else { Ok(Vec::new()) };
    connection.close().await.map_err(unavailable)?;
    versions
}

async fn there(connection: &mut PgConnection, question: &'static str) -> Result<bool> {
    sqlx::query_scalar(question).fetch_one(connection).await.map_err(unavailable)
}

async fn versions(connection: &mut PgConnection) -> Result<Vec<Applied>> {
    let rows = sqlx::query("SELECT version, min_binary FROM flyball.schema_versions ORDER BY version")
        .fetch_all(connection)
        .await
        .map_err(unavailable)?;
    let read = |row: &sqlx::postgres::PgRow| -> sqlx::Result<Applied> {
        let version: i32 = row.try_get("version")?;
        Ok(Applied { version: version.unsigned_abs(), min_binary: row.try_get("min_binary")? })
    };
    rows.iter().map(read).collect::<sqlx::Result<_>>().map_err(unavailable)
}

async fn run(connection: &mut PgConnection, script: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(script)).execute(connection).await.map(drop).map_err(unavailable)
}

fn unavailable(source: sqlx::Error) -> StoreError {
    StoreError::Unavailable { doing: DOING, source }
}

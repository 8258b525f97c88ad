//! The schema of a SQLite file as it says itself, and as the migrations make it: that is made in memory.
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _, SqliteConnection};

use super::connect::onlooker;
use super::migrate::VERSIONS;
use crate::store::inspect::{Object, Objects, plain};
use crate::store::{Database, Result, StoreError, migrations};

const LOOK: &str = include_str!("../sql/inspect.sqlite.sql");

pub(in crate::store) async fn expected() -> Result<Objects> {
    let made = async {
        let mut connection =
            SqliteConnection::connect_with(&SqliteConnectOptions::new().in_memory(true)).await?;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(VERSIONS))).await?;
        for migration in migrations(Database::Sqlite) {
            connection.execute(sqlx::raw_sql(AssertSqlSafe(migration.sql))).await?;
        }
        let objects = look(&mut connection).await?;
        connection.close().await?;
        Ok(objects)
    };
    made.await.map_err(unavailable)
}

pub(in crate::store) async fn found(url: &str) -> Result<Objects> {
    let mut connection = onlooker(url).await?;
    let objects = look(&mut connection).await.map_err(unavailable);
    connection.close().await.map_err(unavailable)?;
    objects
}

async fn look(connection: &mut SqliteConnection) -> sqlx::Result<Objects> {
    let rows = sqlx::query(LOOK).fetch_all(connection).await?;
    let object = |row: &sqlx::sqlite::SqliteRow| -> sqlx::Result<(String, Object)> {
        Ok((row.try_get("object")?, Object { definition: plain(row.try_get("definition")?), sound: true }))
    };
    rows.iter().map(object).collect()
}

fn unavailable(source: sqlx::Error) -> StoreError {
    StoreError::Unavailable { doing: "looking at the schema", source }
}

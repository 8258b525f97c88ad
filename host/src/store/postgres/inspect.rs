//! The schema of a PostgreSQL database as its catalogs tell it, and as the migrations make it.
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use super::connect::target;
use crate::store::inspect::{Object, Objects, plain, read};
use crate::store::{Result, StoreError};

const LOOK: &str = include_str!("../sql/inspect.postgres.sql");
/// What the migrations make. A test makes a database, and writes this file if it is told to.
const EXPECTED: &str = include_str!("schema.txt");

pub(in crate::store) fn expected() -> Objects {
    read(EXPECTED)
}

pub(in crate::store) async fn found(url: &str) -> Result<Objects> {
    let options = target(url)?;
    let looked = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        // Names are written with their schemas where nothing is found by a path.
        connection
            .execute(
                "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = '10s'",
            )
            .await?;
        let rows = sqlx::query(LOOK).fetch_all(&mut connection).await?;
        connection.execute("ROLLBACK").await?;
        connection.close().await?;
        let object = |row: &sqlx::postgres::PgRow| -> sqlx::Result<(String, Object)> {
            let definition = plain(row.try_get("definition")?);
            Ok((row.try_get("object")?, Object { definition, sound: row.try_get("sound")? }))
        };
        rows.iter().map(object).collect::<sqlx::Result<Objects>>()
    };
    looked.await.map_err(|source| StoreError::Unavailable { doing: "looking at the schema", source })
}

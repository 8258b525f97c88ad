//! For measurements on PostgreSQL: rows by the million, and the pages that a claim touches.
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Row as _};

use super::{TEXTS, claim, connect};
use crate::store::backlog::{Columns, Effort, Fill, Sort};
use crate::store::claimed::Ask;
use crate::store::value::Value;
use crate::store::{Result, StoreError};

const FILL: &str = include_str!("../sql/backlog.postgres.sql");
const RUNS: &str = include_str!("../sql/backlog_runs.sql");
const FLAGS: &str = include_str!("../sql/backlog_flags.sql");

fn refused(source: sqlx::Error) -> StoreError {
    StoreError::Unavailable { doing: "preparing a measurement", source }
}

async fn say(connection: &mut PgConnection, sql: impl Into<String>) -> Result<()> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.into()))).await.map_err(refused)?;
    Ok(())
}

/// Makes a database beside the one that the URL names; answers its URL.
pub(in crate::store) async fn create_database(server: &str, name: &str) -> Result<String> {
    let (path, query) = server.split_once('?').map_or((server, None), |(path, query)| (path, Some(query)));
    let host = path.find("://").and_then(|at| path[at + 3..].find('/').map(|slash| at + 3 + slash));
    let host = &path[..host.unwrap_or(path.len())];
    let mut connection = connect::migrator(server).await?;
    say(&mut connection, format!("CREATE DATABASE {name}")).await?;
    Ok(query.map_or_else(|| format!("{host}/{name}"), |query| format!("{host}/{name}?{query}")))
}

/// Drops it, whoever is connected to it still.
pub(in crate::store) async fn drop_database(server: &str, name: &str) -> Result<()> {
    let mut connection = connect::migrator(server).await?;
    say(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}

/// Fills the database of a measurement.
pub(in crate::store) async fn fill(url: &str, fill: &Fill) -> Result<()> {
    let mut connection = connect::migrator(url).await?;
    let Columns { id, kind, queue, class, state, priority, spread, scheduled_at } = fill.columns();
    let values = [
        id.into(),
        kind.into(),
        queue.into(),
        class.into(),
        spread.into(),
        state.into(),
        Value::Int(priority),
        fill.now.into(),
        scheduled_at.into(),
        Value::Int(fill.rows.into()),
        Value::Int(fill.lanes.into()),
    ];
    let types = "text, text, text, text, text, text, smallint, timestamptz, timestamptz, bigint, bigint";
    say(&mut connection, format!("PREPARE backlog ({types}) AS {FILL}")).await?;
    say(&mut connection, format!("EXECUTE backlog ({})", literals(&values))).await?;
    match fill.sort {
        Sort::Finished => say(&mut connection, RUNS).await,
        Sort::PausedKind | Sort::PausedQueue => say(&mut connection, FLAGS).await,
        Sort::Ready | Sort::UnloadedKind | Sort::Blocked | Sort::OtherClass | Sort::Ahead => Ok(()),
    }
}

/// Gathers statistics, and marks what all can see.
pub(in crate::store) async fn tidy(url: &str) -> Result<()> {
    let mut connection = connect::migrator(url).await?;
    for table in ["jobs", "job_runs", "queues", "kinds"] {
        say(&mut connection, format!("VACUUM (ANALYZE) flyball.{table}")).await?;
    }
    Ok(())
}

/// The pages that a claim touches, by its generic plan.
pub(in crate::store) async fn effort(url: &str, ask: &Ask) -> Result<Effort> {
    let mut connection = connect::alone(url).await?;
    say(&mut connection, format!("PREPARE claim AS {}", TEXTS.1.claim)).await?;
    let explain =
        format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE claim ({})", literals(&claim::values(ask)));
    let mut effort = Effort::Buffers { buffers_hit: 0, buffers_read: 0 };
    for _ in 0..2 {
        say(&mut connection, "BEGIN").await?;
        let row =
            connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(explain.clone()))).await.map_err(refused)?;
        say(&mut connection, "ROLLBACK").await?;
        let told: serde_json::Value =
            row.try_get::<sqlx::types::Json<_>, _>(0).map(|told| told.0).map_err(refused)?;
        let pages = |what: &str| told[0]["Plan"][what].as_u64().unwrap_or(0);
        effort = Effort::Buffers {
            buffers_hit: pages("Shared Hit Blocks"),
            buffers_read: pages("Shared Read Blocks"),
        };
    }
    Ok(effort)
}

/// Values as EXECUTE takes them, which takes no parameters.
fn literals(values: &[Value]) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let literal = |value: &Value| match value {
        Value::Int(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => text.as_deref().map_or_else(|| "NULL".into(), quoted),
        Value::Id(id) => id.map_or_else(|| "NULL".into(), |id| quoted(&id.to_string())),
        Value::Ids(ids) => {
            let ids: Vec<String> = ids.iter().map(|id| quoted(&id.to_string())).collect();
            format!("ARRAY[{}]::uuid[]", ids.join(","))
        }
        Value::Time(at) => at.map_or_else(|| "NULL".into(), |at| quoted(&at.to_string())),
        Value::Bytes(_) => "NULL".into(),
    };
    values.iter().map(literal).collect::<Vec<_>>().join(", ")
}

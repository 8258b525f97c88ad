//! Running a statement on a connection to PostgreSQL.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::store::dialect::{Outcome, Session, Turns};
use crate::store::fault::Fault;
use crate::store::value::{Cell, Row, Value, gather_turns};
use sqlx::postgres::PgRow;
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{Column as _, Executor as _, PgConnection, Row as _, TypeInfo as _};

/// A connection, as long as a verb has it.
pub(super) struct PgSession<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) sent: Arc<AtomicU64>,
    /// For one answer.
    pub(super) limit: Duration,
    pub(super) turns: Turns,
}

impl PgSession<'_> {
    /// BEGIN, COMMIT, ROLLBACK.
    pub(super) async fn control(&mut self, statement: &'static str) -> Outcome<()> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        within(self.limit, self.connection.execute(sqlx::raw_sql(statement))).await.map(drop)
    }
}

#[async_trait]
impl Session for PgSession<'_> {
    async fn run(&mut self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut query = sqlx::query(statement);
        for value in values {
            query = match value {
                Value::Int(number) => query.bind(number),
                Value::Flag(flag) => query.bind(flag),
                Value::Text(text) => query.bind(text),
                Value::Id(id) => query.bind(id),
                Value::Ids(ids) => query.bind(ids),
                Value::Time(at) => query.bind(at.map(|at| at.datetime())),
                Value::Bytes(bytes) => query.bind(bytes.to_vec()),
            };
        }
        let rows = within(self.limit, query.fetch_all(&mut *self.connection)).await?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let columns: Arc<[Box<str>]> = first.columns().iter().map(|column| column.name().into()).collect();
        let row = |row| Ok(Row::new(Arc::clone(&columns), cells(row)?));
        let mut rows: Vec<Row> = rows.iter().map(row).collect::<Outcome<_>>()?;
        gather_turns(&mut rows, &mut self.turns);
        Ok(rows)
    }

    fn turns(&mut self) -> &mut Turns {
        &mut self.turns
    }
}

async fn within<T>(limit: Duration, answer: impl Future<Output = sqlx::Result<T>>) -> Outcome<T> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(Fault::Database),
        Err(_) => Err(Fault::TimedOut(limit)),
    }
}

fn cells(row: &PgRow) -> Outcome<Vec<Cell>> {
    let cells = (0..row.len()).map(|at| cell(row, at));
    cells.collect::<sqlx::Result<_>>().map_err(Into::into)
}

fn cell(row: &PgRow, at: usize) -> sqlx::Result<Cell> {
    let cell = match row.column(at).type_info().name() {
        "INT8" => row.try_get::<Option<i64>, _>(at)?.map(Cell::Int),
        "INT4" => row.try_get::<Option<i32>, _>(at)?.map(|number| Cell::Int(number.into())),
        "INT2" => row.try_get::<Option<i16>, _>(at)?.map(|number| Cell::Int(number.into())),
        "BOOL" => row.try_get::<Option<bool>, _>(at)?.map(Cell::Flag),
        "FLOAT8" => row.try_get::<Option<f64>, _>(at)?.map(Cell::Real),
        "UUID" => row.try_get::<Option<Uuid>, _>(at)?.map(Cell::Id),
        "TIMESTAMPTZ" => row.try_get::<Option<DateTime<Utc>>, _>(at)?.map(|at| Cell::Time(at.into())),
        "BYTEA" => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
        // `json` travels as its text.
        _ => row.try_get_unchecked::<Option<String>, _>(at)?.map(Cell::Text),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

//! Running a statement on a connection to SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use crate::store::batch::texts;
use crate::store::dialect::{Outcome, Session, Turns};
use crate::store::value::{Cell, Row, Value, gather_turns};
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Column as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _};

/// A connection, as long as a verb has it.
pub(super) struct SqliteSession<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    pub(super) sent: &'c AtomicU64,
    pub(super) turns: Turns,
}

#[async_trait]
impl Session for SqliteSession<'_> {
    async fn run(&mut self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut query = sqlx::query(statement);
        for value in values {
            query = match value {
                Value::Int(number) => query.bind(number),
                Value::Flag(flag) => query.bind(flag),
                Value::Text(text) => query.bind(text),
                // Text, as JSON carries ids: sqlx alone would bind a blob.
                Value::Id(id) => query.bind(id.map(|id| id.hyphenated().to_string())),
                Value::Ids(ids) => query.bind(texts(ids.iter().map(|id| id.hyphenated().to_string()))),
                Value::Time(at) => query.bind(at.map(|at| at.micros())),
                Value::Bytes(bytes) => query.bind(bytes.to_vec()),
            };
        }
        let rows = query.fetch_all(&mut *self.connection).await?;
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

fn cells(row: &SqliteRow) -> Outcome<Vec<Cell>> {
    let cells = (0..row.len()).map(|at| row.try_get_raw(at).and_then(|value| cell(row, at, &value)));
    cells.collect::<Result<_, _>>().map_err(Into::into)
}

fn cell(row: &SqliteRow, at: usize, value: &SqliteValueRef<'_>) -> sqlx::Result<Cell> {
    if value.is_null() {
        return Ok(Cell::Null);
    }
    match value.type_info().name() {
        "INTEGER" => row.try_get_unchecked(at).map(Cell::Int),
        "BLOB" => row.try_get_unchecked(at).map(Cell::Bytes),
        "REAL" => row.try_get_unchecked(at).map(Cell::Real),
        _ => row.try_get_unchecked(at).map(Cell::Text),
    }
}

//! For measurements on SQLite: rows by the million, and the instructions that a claim takes.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::session::SqliteSession;
use super::{TEXTS, claim, connect, shared};
use crate::clock::Clock;
use crate::store::backlog::{Columns, Effort, Fill, Sort};
use crate::store::claimed::Ask;
use crate::store::dialect::{Session as _, Turns};
use crate::store::value::Value;
use crate::store::{OpenOptions, Result, StoreError};

const FILL: &str = include_str!("../sql/backlog.sqlite.sql");
const RUNS: &str = include_str!("../sql/backlog_runs.sql");
const FLAGS: &str = include_str!("../sql/backlog_flags.sql");
const DOING: &str = "preparing a measurement";

async fn open(url: &str) -> Result<SqliteConnection> {
    connect::migrator(url, &OpenOptions::new(Clock::system())).await
}

async fn say(connection: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    let refused = |source| StoreError::Unavailable { doing: DOING, source };
    connection.execute(sqlx::raw_sql(AssertSqlSafe(shared(sql)))).await.map_err(refused)?;
    Ok(())
}

async fn close(connection: SqliteConnection) -> Result<()> {
    connection.close().await.map_err(|source| StoreError::Unavailable { doing: DOING, source })
}

/// Fills the file of a measurement.
pub(in crate::store) async fn fill(url: &str, fill: &Fill) -> Result<()> {
    let mut connection = open(url).await?;
    let Columns { id, kind, queue, class, state, priority, spread, scheduled_at } = fill.columns();
    let values = vec![
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
    let mut session =
        SqliteSession { connection: &mut connection, sent: &AtomicU64::new(0), turns: Turns::new() };
    session.run(FILL, values).await.map_err(|fault| fault.told(DOING))?;
    match fill.sort {
        Sort::Finished => say(&mut connection, RUNS).await?,
        Sort::PausedKind | Sort::PausedQueue => say(&mut connection, FLAGS).await?,
        Sort::Ready | Sort::UnloadedKind | Sort::Blocked | Sort::OtherClass | Sort::Ahead => {}
    }
    close(connection).await
}

/// Gathers statistics, and moves what the log holds to where it belongs.
pub(in crate::store) async fn tidy(url: &str) -> Result<()> {
    let mut connection = open(url).await?;
    say(&mut connection, "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)").await?;
    close(connection).await
}

/// The instructions that a claim takes, all its statements together.
pub(in crate::store) async fn effort(url: &str, ask: &Ask) -> Result<Effort> {
    let mut connection = open(url).await?;
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let unavailable = |source| StoreError::Unavailable { doing: DOING, source };
    connection.lock_handle().await.map_err(unavailable)?.set_progress_handler(1, move || {
        counted.fetch_add(1, Ordering::Relaxed);
        true
    });
    for _ in 0..2 {
        say(&mut connection, "BEGIN IMMEDIATE").await?;
        steps.store(0, Ordering::Relaxed);
        let mut session =
            SqliteSession { connection: &mut connection, sent: &AtomicU64::new(0), turns: Turns::new() };
        let taken = claim::in_transaction(&mut session, &TEXTS.1, ask).await;
        let vm_steps = steps.load(Ordering::Relaxed);
        say(&mut connection, "ROLLBACK").await?;
        taken.map_err(|fault| fault.told(DOING))?;
        steps.store(vm_steps, Ordering::Relaxed);
    }
    let vm_steps = steps.load(Ordering::Relaxed);
    close(connection).await?;
    Ok(Effort::Steps { vm_steps })
}

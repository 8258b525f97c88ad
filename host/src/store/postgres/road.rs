//! The way to PostgreSQL: connections of one sort, and work on them with a bound on every answer.
//!
//! A connection whose call got no answer, or whose caller went away in the middle, is closed and never pooled again:
//! what the server did with it is unknown.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};

use super::session::PgSession;
use crate::store::dialect::{Outcome, Session as _, Work};
use crate::store::fault::{Blame, Fault};
use crate::store::value::{Row, Value};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Road {
    pool: PgPool,
    /// For one answer.
    limit: Duration,
    sent: Arc<AtomicU64>,
}

impl Road {
    pub(super) fn new(pool: PgPool, limit: Duration, sent: Arc<AtomicU64>) -> Self {
        Self { pool, limit, sent }
    }

    pub(super) async fn run(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        let mut held = self.hold().await?;
        let result = held.session(self)?.run(statement, values).await;
        held.judge(&result);
        result
    }

    pub(super) async fn alone<T>(&self, work: impl Work<T>) -> Outcome<T> {
        let mut held = self.hold().await?;
        let result = work(&mut held.session(self)?).await;
        held.judge(&result);
        result
    }

    pub(super) async fn transact<T>(&self, work: impl Work<T>) -> Outcome<T> {
        let mut held = self.hold().await?;
        let mut session = held.session(self)?;
        session.control("BEGIN").await?;
        let result = match work(&mut session).await {
            Ok(value) => session.control("COMMIT").await.map(|()| value),
            Err(fault) => {
                if leaves_sound(&fault) {
                    session.control("ROLLBACK").await?;
                }
                Err(fault)
            }
        };
        held.judge(&result);
        result
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    async fn hold(&self) -> Outcome<Held> {
        Ok(Held { connection: Some(self.pool.acquire().await?), sound: false })
    }
}

/// A connection in use: closed when dropped, unless it was found sound.
struct Held {
    connection: Option<PoolConnection<Postgres>>,
    sound: bool,
}

impl Held {
    fn session(&mut self, road: &Road) -> Outcome<PgSession<'_>> {
        let connection = self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        Ok(PgSession { connection: &mut *connection, sent: Arc::clone(&road.sent), limit: road.limit })
    }

    fn judge<T>(&mut self, result: &Outcome<T>) {
        self.sound = result.as_ref().err().is_none_or(leaves_sound);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.sound
            && let Some(connection) = self.connection.take()
        {
            drop(connection.detach());
        }
    }
}

/// Whether a connection can be used again after this: it answered, and what it refused was the statement.
fn leaves_sound(fault: &Fault) -> bool {
    match fault {
        Fault::Verb(_) => true,
        Fault::TimedOut(_) => false,
        Fault::Database(_) => match fault.blame() {
            Blame::Item | Blame::Race => true,
            Blame::Infrastructure => false,
        },
    }
}

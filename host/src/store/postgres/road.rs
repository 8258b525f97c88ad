//! The way to PostgreSQL: connections of one sort, and work on them with a bound on every answer.
//!
//! A connection whose call got no answer, or whose caller went away in the middle, is closed and never lent again: what
//! the server did with it is unknown.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::pool::{Lent, Pool};
use super::session::PgSession;
use crate::store::dialect::{Outcome, Session as _, Turns, Work};
use crate::store::fault::{Blame, Fault};
use crate::store::value::{Row, Value};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Road {
    pool: Arc<Pool>,
    /// For one answer.
    limit: Duration,
    sent: Arc<AtomicU64>,
}

impl Road {
    pub(super) fn new(pool: Pool, limit: Duration, sent: Arc<AtomicU64>) -> Self {
        Self { pool: Arc::new(pool), limit, sent }
    }

    pub(super) async fn run(&self, statement: &'static str, values: Vec<Value>) -> Outcome<Vec<Row>> {
        let mut lent = self.pool.lend().await?;
        let result = self.session(&mut lent)?.run(statement, values).await;
        judge(&mut lent, &result);
        result
    }

    pub(super) async fn alone<T>(&self, work: impl Work<T>) -> Outcome<T> {
        let mut lent = self.pool.lend().await?;
        let result = work(&mut self.session(&mut lent)?).await;
        judge(&mut lent, &result);
        result
    }

    /// As [`Road::alone`], all of it within the limit of one answer.
    pub(super) async fn alone_in_time<T>(&self, work: impl Work<T>) -> Outcome<T> {
        let answer = tokio::time::timeout(self.limit, self.alone(work)).await;
        answer.unwrap_or(Err(Fault::TimedOut(self.limit)))
    }

    /// As [`Road::transact`], all of it within the limit of one answer.
    pub(super) async fn transact_in_time<T>(&self, work: impl Work<T>) -> Outcome<T> {
        let answer = tokio::time::timeout(self.limit, self.transact(work)).await;
        answer.unwrap_or(Err(Fault::TimedOut(self.limit)))
    }

    pub(super) async fn transact<T>(&self, work: impl Work<T>) -> Outcome<T> {
        let mut lent = self.pool.lend().await?;
        let mut session = self.session(&mut lent)?;
        let result = match session.control("BEGIN").await {
            Ok(()) => within(&mut session, work).await,
            Err(fault) => Err(fault),
        };
        judge(&mut lent, &result);
        result
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    fn session<'c>(&self, lent: &'c mut Lent) -> Outcome<PgSession<'c>> {
        Ok(PgSession {
            connection: lent.connection()?,
            sent: Arc::clone(&self.sent),
            limit: self.limit,
            turns: Turns::new(),
        })
    }
}

/// The inside of a transaction, and its end.
async fn within<T>(session: &mut PgSession<'_>, work: impl Work<T>) -> Outcome<T> {
    match work(session).await {
        Ok(value) => session.control("COMMIT").await.map(|()| value),
        Err(fault) if leaves_sound(&fault) => session.control("ROLLBACK").await.and(Err(fault)),
        Err(fault) => Err(fault),
    }
}

fn judge<T>(lent: &mut Lent, result: &Outcome<T>) {
    match result {
        Err(fault) if !leaves_sound(fault) => lent.is_broken(),
        Ok(_) | Err(_) => lent.is_sound(),
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

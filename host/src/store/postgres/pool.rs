//! A few connections to PostgreSQL, lent one at a time.
//!
//! Our own, because a connection that comes back must be known to be sound *without* asking it: sqlx's pool asks, with
//! no bound on the answer, and one that went deaf would keep its place for as long as TCP hopes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::dialect::Outcome;
use crate::store::fault::Fault;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};

/// Where connections come from.
pub(super) struct Pool {
    target: PgConnectOptions,
    /// What every connection has set, once.
    settings: String,
    /// For a free connection, and for making one.
    patience: Duration,
    places: Arc<Semaphore>,
    idle: Mutex<Vec<PgConnection>>,
}

impl Pool {
    pub(super) fn new(target: PgConnectOptions, settings: String, size: u32, patience: Duration) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Self { target, settings, patience, places, idle: Mutex::default() }
    }

    /// A connection, made if need be.
    pub(super) async fn lend(self: &Arc<Self>) -> Outcome<Lent> {
        let place = tokio::time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => tokio::time::timeout(self.patience, self.connect())
                .await
                .map_err(|_| Fault::TimedOut(self.patience))??,
        };
        Ok(Lent { connection: Some(connection), sound: false, pool: Arc::clone(self), _place: place })
    }

    async fn connect(&self) -> sqlx::Result<PgConnection> {
        let mut connection = self.target.connect().await?;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(self.settings.clone()))).await?;
        Ok(connection)
    }

    /// Lends no more, and ends what is idle in order.
    pub(super) async fn close(&self) {
        self.places.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            // One that is broken is as good as closed.
            let _closed = tokio::time::timeout(self.patience, connection.close()).await;
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in use. When dropped it is closed, unless it was found sound: so a caller that goes away in the middle
/// of a call leaves nothing behind.
pub(super) struct Lent {
    connection: Option<PgConnection>,
    sound: bool,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    pub(super) fn connection(&mut self) -> Outcome<&mut PgConnection> {
        self.connection.as_mut().ok_or(Fault::Database(sqlx::Error::WorkerCrashed))
    }

    /// It answered to everything, and can be lent again.
    pub(super) fn is_sound(&mut self) {
        self.sound = true;
    }

    /// It is broken, and most likely those that are idle are too.
    pub(super) fn is_broken(&mut self) {
        self.pool.idle().clear();
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && self.sound
            && !self.pool.places.is_closed()
        {
            self.pool.idle().push(connection);
        }
    }
}

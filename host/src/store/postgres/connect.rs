//! Connecting to PostgreSQL: what every connection of ours has set, once.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::pool::Pool;
use super::road::Road;
use crate::store::{GUEST_READS, OpenOptions, Result, Role, StoreError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgConnection, PgPool};

/// What the server gives a statement of a verb.
const STATEMENT: Duration = Duration::from_secs(4);
/// What it gives one that waits for a lock.
const LOCK: Duration = Duration::from_secs(2);
/// After which it ends a transaction that does nothing.
const IDLE: Duration = Duration::from_secs(5);
/// What it gives a statement that deletes.
const PRUNE: Duration = Duration::from_secs(30);
/// How much longer we wait for an answer than the server may take for it.
const WAY: Duration = Duration::from_secs(1);

/// Where a URL leads.
pub(super) fn target(url: &str) -> Result<PgConnectOptions> {
    let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
        // The URL itself may hold a password.
        StoreError::Address(format!("the PostgreSQL URL can't be used: {error}"))
    })?;
    Ok(options.application_name("flyball").disable_statement_logging())
}

/// For verbs.
pub(super) fn road(target: &PgConnectOptions, options: &OpenOptions, sent: &Arc<AtomicU64>) -> Road {
    let size = options.connections.max(1);
    let mut settings = settings(STATEMENT, LOCK, IDLE);
    if options.role == Role::Onlooker {
        settings.push_str("; SET default_transaction_read_only = on");
    }
    let pool = Pool::new(target.clone(), settings, size, STATEMENT + WAY);
    Road::new(pool, STATEMENT + WAY, Arc::clone(sent))
}

/// For renewals: one connection, and a third of the lease for everything.
pub(super) fn lease_road(target: &PgConnectOptions, options: &OpenOptions, sent: &Arc<AtomicU64>) -> Road {
    let third = options.lease / 3;
    let pool = Pool::new(target.clone(), settings(third, third, IDLE), 1, third);
    Road::new(pool, third, Arc::clone(sent))
}

/// For what guests ask for.
pub(super) fn guest_road(target: &PgConnectOptions, sent: &Arc<AtomicU64>) -> Road {
    let pool = Pool::new(target.clone(), settings(STATEMENT, LOCK, IDLE), GUEST_READS, STATEMENT + WAY);
    Road::new(pool, STATEMENT + WAY, Arc::clone(sent))
}

/// For deletions, one at a time.
pub(super) fn prune_road(target: &PgConnectOptions, sent: &Arc<AtomicU64>) -> Road {
    let pool = Pool::new(target.clone(), settings(PRUNE, LOCK, IDLE), 1, PRUNE + WAY);
    Road::new(pool, PRUNE + WAY, Arc::clone(sent))
}

/// For hearing: a connection that does nothing else. It belongs to a pool of its own, because that is what sqlx's
/// listener takes.
pub(super) fn listening(target: &PgConnectOptions) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(STATEMENT + WAY);
    pool.test_before_acquire(false).connect_lazy_with(target.clone())
}

/// One connection for migrations, with time-outs of their own.
pub(super) async fn migrator(url: &str) -> Result<PgConnection> {
    let target = target(url)?;
    let unavailable = |source| StoreError::Unavailable { doing: "connecting to PostgreSQL", source };
    let mut connection = target.connect().await.map_err(unavailable)?;
    let settings = settings(Duration::ZERO, Duration::from_secs(60), Duration::from_secs(60));
    connection.execute(sqlx::raw_sql(AssertSqlSafe(settings))).await.map_err(unavailable)?;
    Ok(connection)
}

/// One connection as those for verbs are, for a measurement.
pub(super) async fn alone(url: &str) -> Result<PgConnection> {
    let unavailable = |source| StoreError::Unavailable { doing: "connecting to PostgreSQL", source };
    let mut connection = target(url)?.connect().await.map_err(unavailable)?;
    let settings = settings(Duration::from_secs(60), LOCK, Duration::from_secs(60));
    connection.execute(sqlx::raw_sql(AssertSqlSafe(settings))).await.map_err(unavailable)?;
    Ok(connection)
}

/// Generic plans, because the statements are written for them and tests look at them. No sequential scans: a plan that
/// was made while a table was empty is kept while it fills. No JIT, which costs more than any statement takes. READ
/// COMMITTED, because a statement after a lock must see what was committed before it.
fn settings(statement: Duration, lock: Duration, idle: Duration) -> String {
    format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off; \
         SET default_transaction_isolation = 'read committed'",
        statement.as_millis(),
        lock.as_millis(),
        idle.as_millis()
    )
}

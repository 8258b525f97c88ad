//! A fresh database for one test, gone when the test is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::Url;
use crate::ambient;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Dropping a database is tidiness: a server that is down must not hold up the test.
const TIDY: Duration = Duration::from_secs(5);

/// An empty database, dropped with this value, whoever is still connected to it.
pub struct Database {
    url: Url,
    server: Url,
    name: String,
}

impl Database {
    pub(super) async fn create(server: &Url) -> Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("flyball_test_{}_{}_{number}", std::process::id(), ambient::now().0);
        // `template0` has no sessions, so many databases can be copied from it at once.
        let statement = format!("create database {name} template template0");
        administer(server, statement).await.with_context(|| format!("create the database {name}"))?;
        Ok(Self { url: server.with_database(&name), server: server.clone(), name })
    }

    /// Its URL, over TCP.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A pool of at most `size` connections.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn pool(&self, size: u32) -> Result<PgPool> {
        let pool = PgPoolOptions::new().max_connections(size).connect_with(options(&self.url)?);
        pool.await.with_context(|| format!("connect to the database {}", self.name))
    }

    /// One connection.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn connect(&self) -> Result<PgConnection> {
        options(&self.url)?.connect().await.with_context(|| format!("connect to the database {}", self.name))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own: the test's may be at its end.
        let tidying = std::thread::spawn(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let statement = format!("drop database if exists {name} with (force)");
            runtime.block_on(async { tokio::time::timeout(TIDY, administer(&server, statement)).await })?
        });
        // What is left lies on a cluster that goes away, or on a server whose owner sees `flyball_test_` in the name.
        let _left = tidying.join();
    }
}

fn options(url: &Url) -> Result<PgConnectOptions> {
    url.to_string().parse().context("not a PostgreSQL URL")
}

async fn administer(server: &Url, statement: String) -> Result<()> {
    let mut connection = options(server)?.connect().await.context("connect to PostgreSQL")?;
    // The names are made above, of letters and digits.
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await.map_err(Into::into)
}

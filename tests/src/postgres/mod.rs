//! PostgreSQL for tests: a database of one's own, on a server that is there for this run only.
//!
//! Everything of Flyball lives in the schema `flyball`, so every test gets a fresh *database*. The server is one
//! throwaway cluster per test process, or the one that `DATABASE_URL` names. A test that kills servers starts a
//! [`Cluster`] for itself. Where there is no PostgreSQL such tests are left out, loudly, or fail if it is required.

mod cluster;
mod database;
mod install;
mod tls;
mod url;

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use tokio::sync::OnceCell;

pub use cluster::{Cluster, Durability};
pub use database::Database;
pub use url::Url;

use crate::ambient;
use install::Install;

enum Server {
    Ours(Cluster),
    Given(Url),
    Absent,
}

static SERVER: OnceCell<Result<Server, String>> = OnceCell::const_new();

/// A fresh, empty database on the shared server; nothing, said aloud, if there is no PostgreSQL here.
///
/// # Errors
/// When there is a server and it fails, and when there is none although one is required.
pub async fn database() -> Result<Option<Database>> {
    let server = SERVER.get_or_init(async || find_server().await.map_err(|error| format!("{error:#}"))).await;
    match server {
        Ok(Server::Ours(cluster)) => cluster.database().await.map(Some),
        Ok(Server::Given(url)) => Database::create(url).await.map(Some),
        Ok(Server::Absent) => left_out().map(|()| None),
        Err(error) => Err(anyhow!("no shared PostgreSQL: {error}")),
    }
}

/// A cluster of one's own, to be killed and restarted; nothing, said aloud, if there is no PostgreSQL here.
///
/// # Errors
/// When it cannot be started, and when there is no PostgreSQL although one is required.
pub async fn cluster(durability: Durability) -> Result<Option<Cluster>> {
    cluster_in(&std::env::temp_dir(), durability).await
}

/// As [`cluster`], with its files in a folder below this one.
///
/// # Errors
/// As [`cluster`].
pub async fn cluster_in(place: &Path, durability: Durability) -> Result<Option<Cluster>> {
    match Install::find() {
        Some(install) => Cluster::start(&install, durability, place).await.map(Some),
        None => left_out().map(|()| None),
    }
}

/// Must tests that need PostgreSQL fail where there is none?
#[must_use]
pub fn is_required() -> bool {
    ambient::switched_on("CI") || ambient::switched_on("FLYBALL_REQUIRE_POSTGRES")
}

async fn find_server() -> Result<Server> {
    let given = ambient::variable("DATABASE_URL").map(|url| url.to_string_lossy().into_owned());
    if let Some(url) = given.filter(|url| url.starts_with("postgres")) {
        return url.parse().map(Server::Given);
    }
    match Install::find() {
        Some(install) => {
            Cluster::start(&install, Durability::Fast, &std::env::temp_dir()).await.map(Server::Ours)
        }
        None => Ok(Server::Absent),
    }
}

fn left_out() -> Result<()> {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    if is_required() {
        bail!(
            "{test} needs PostgreSQL, which is required here and was not found: install it, or set DATABASE_URL"
        );
    }
    ambient::say_aloud(&format!("LEFT OUT for want of PostgreSQL: {test}. Install it, or set DATABASE_URL."));
    Ok(())
}

#[cfg(test)]
mod tests;

//! The two databases that a crash is tried on, and the settings that make recovery quick.

use anyhow::Result;
use flyball_tests::postgres::{self, Cluster, Durability};
use flyball_tests::{Home, guests};

/// A home on one of the databases; what it needs to live is kept with it.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) cluster: Option<Cluster>,
    _database: Option<postgres::Database>,
}

/// One lease is a second; a loss costs a tenth of a second, any number of times.
const QUICK: &str = r#"
[node]
lease = "1s"
max_crashes = 1000
crash_backoff = { base = "100ms", cap = "100ms" }
"#;

impl World {
    /// On a SQLite file.
    pub(crate) fn sqlite() -> Result<Self> {
        Self { home: Home::sqlite()?, cluster: None, _database: None }.furnished(QUICK)
    }

    /// On a PostgreSQL of its own, that makes every commit durable; nothing where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Result<Option<Self>> {
        let Some(cluster) = postgres::cluster(Durability::Full).await? else { return Ok(None) };
        let database = cluster.database().await?;
        let home = Home::on(database.url())?;
        Self { home, cluster: Some(cluster), _database: Some(database) }.furnished(QUICK).map(Some)
    }

    /// Other settings.
    pub(crate) fn furnished(self, settings: &str) -> Result<Self> {
        self.home.configure(settings)?;
        guests::find("echo")?.put_into(&self.home.plugins())?;
        Ok(self)
    }
}

//! The two databases that a promise is tried on.

use anyhow::Result;
use flyball_tests::proxy::Proxy;
use flyball_tests::{Home, guests, postgres};

/// A home on one of the databases, with what keeps the database alive.
pub(crate) struct World {
    pub(crate) home: Home,
    _database: Option<postgres::Database>,
}

impl World {
    /// On a SQLite file.
    pub(crate) async fn sqlite() -> Result<Self> {
        Self { home: Home::sqlite()?, _database: None }.migrated().await
    }

    /// On a fresh PostgreSQL database; nothing where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Result<Option<Self>> {
        let Some(database) = postgres::database().await? else { return Ok(None) };
        let home = Home::on(database.url())?;
        Self { home, _database: Some(database) }.migrated().await.map(Some)
    }

    /// The home, whose database is reached by way of a proxy. On PostgreSQL only.
    pub(crate) fn behind_a_proxy(&self) -> Result<(Home, Proxy)> {
        let url: postgres::Url = self.home.database().parse()?;
        let proxy = Proxy::start(url.host())?;
        Ok((self.home.by(url.through(proxy.address())), proxy))
    }

    /// With these workers in its plugins folder.
    pub(crate) fn with(self, kinds: &[&str]) -> Result<Self> {
        for kind in kinds {
            guests::find(kind)?.put_into(&self.home.plugins())?;
        }
        Ok(self)
    }

    async fn migrated(self) -> Result<Self> {
        self.home.call(&["migrate"]).await?;
        Ok(self)
    }
}

/// The same test on both databases, each a test of its own.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() -> anyhow::Result<()> {
                super::$name(crate::worlds::World::sqlite().await?).await
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() -> anyhow::Result<()> {
                match crate::worlds::World::postgres().await? {
                    Some(world) => super::$name(world).await,
                    None => Ok(()),
                }
            })+
        }
    };
}
pub(crate) use on_both_databases;

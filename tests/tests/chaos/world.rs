//! Where a storm takes place: the database on a disk that can be full, the roads to it, and a clock that can be stepped.

use std::time::Duration;

use anyhow::Result;
use flyball::store::Database;
use flyball_tests::node::Plan;
use flyball_tests::postgres::{self, Cluster, Durability, Url};
use flyball_tests::proxy::Proxy;
use flyball_tests::room::Room;
use flyball_tests::wall::WallClock;
use flyball_tests::{Home, guests};

/// Nodes on PostgreSQL; on SQLite there is one.
pub(crate) const SLOTS: usize = 4;
/// Those that reach the server through a proxy each.
pub(crate) const PROXIED: [usize; 2] = [0, 1];
/// The one whose wall clock is stepped.
pub(crate) const CLOCKED: usize = 2;
/// The one that is killed seldom.
pub(crate) const LONG_LIVED: usize = 3;
/// Short, that a storm shows much; long enough that a busy machine stops what has lost its lease within a quarter of it.
const LEASE: Duration = Duration::from_secs(4);
/// As far as the disk goes when it is not full.
const ROOM: u64 = 4 << 30;

/// No job is given up for the loss of its nodes: with losses by the hundred many innocent jobs would come to the last of
/// the three that are usual, each would then run alone on its node, and there would never be two hundred in flight. That
/// only a job that ran alone is given up is for `crash::poison` to show.
const SETTINGS: &str = r#"
[node]
lease = "4s"
max_crashes = 1000000
crash_backoff = { base = "100ms", cap = "200ms" }
drain_timeout = "60s"
"#;

/// The scene of a storm.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) database: Database,
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) clock: Option<WallClock>,
    _rows: Option<postgres::Database>,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) room: Option<Room>,
}

impl World {
    /// A SQLite file.
    pub(crate) fn sqlite() -> Result<Self> {
        let room = Room::open(ROOM)?;
        let home = match &room {
            Some(room) => Home::on(format!("sqlite:{}", room.folder().join("flyball.db").display()))?,
            None => Home::sqlite()?,
        };
        let clock = WallClock::find()?;
        let (database, proxies) = (Database::Sqlite, Vec::new());
        Self { home, database, proxies, clock, _rows: None, cluster: None, room }.furnished()
    }

    /// A PostgreSQL of its own, that makes every commit durable; nothing where there is no PostgreSQL.
    pub(crate) async fn postgres() -> Result<Option<Self>> {
        let room = Room::open(ROOM)?;
        let place = room.as_ref().map_or_else(std::env::temp_dir, |room| room.folder().to_path_buf());
        let Some(cluster) = postgres::cluster_in(&place, Durability::Full).await? else { return Ok(None) };
        let rows = cluster.database().await?;
        let proxies = PROXIED.iter().map(|_| Proxy::start(cluster.address().to_string()));
        let (home, clock) = (Home::on(rows.url())?, WallClock::find()?);
        let world = Self {
            home,
            database: Database::Postgres,
            proxies: proxies.collect::<Result<_>>()?,
            clock,
            _rows: Some(rows),
            cluster: Some(cluster),
            room,
        };
        world.furnished().map(Some)
    }

    fn furnished(self) -> Result<Self> {
        self.home.configure(SETTINGS)?;
        guests::find("echo")?.put_into(&self.home.plugins())?;
        Ok(self)
    }

    pub(crate) fn slots(&self) -> usize {
        match self.database {
            Database::Sqlite => 1,
            Database::Postgres => SLOTS,
        }
    }

    /// Attempts of a node at once: in all, well over the two hundred that are to be in flight at every kill.
    const fn concurrency(&self) -> &'static str {
        match self.database {
            Database::Sqlite => "256",
            Database::Postgres => "100",
        }
    }

    pub(crate) fn lease(&self) -> Duration {
        LEASE
    }

    /// The proxy of a slot, if its node goes through one.
    pub(crate) fn proxy(&self, slot: usize) -> Option<&Proxy> {
        PROXIED.iter().position(|proxied| *proxied == slot).and_then(|at| self.proxies.get(at))
    }

    /// A node for a slot.
    pub(crate) fn plan(&self, slot: usize) -> Result<Plan> {
        let home = match self.proxy(slot) {
            Some(proxy) => self.home.by(self.home.database().parse::<Url>()?.through(proxy.address())),
            None => self.home.clone(),
        };
        let name = format!("slot-{slot}");
        let plan = Plan::new(&home).with(&["--concurrency", self.concurrency(), "--name", &name]);
        let wears_clock = self.database == Database::Sqlite || slot == CLOCKED;
        Ok(match self.clock.as_ref().filter(|_| wears_clock) {
            Some(clock) => clock.worn_by(plan),
            None => plan,
        })
    }
}

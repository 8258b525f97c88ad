//! A database of a measurement's own, and a node on it that does nothing but claim.

use std::time::Duration;

use anyhow::Context as _;

use crate::clock::Clock;
use crate::job::{Json, Kind, LossPolicy, NodeId, RunId};
use crate::store::backlog::{self, Effort, Fill, Sort};
use crate::store::{
    self, ClaimRequest, Classes, NewNode, OpenOptions, Queues, Role, SchemaMode, ServedKind, SharedStore,
    Turn,
};

/// For longer than any measurement takes.
const LEASE: Duration = Duration::from_secs(3600);

/// The database; on SQLite its folder goes with it.
pub(super) struct Stand {
    url: String,
    server: Option<String>,
    clock: Clock,
    node: NodeId,
    _folder: Option<tempfile::TempDir>,
}

/// A node on it.
pub(super) struct Claiming {
    store: SharedStore,
    clock: Clock,
    node: NodeId,
}

impl Stand {
    /// Makes it: on that server, or as a file.
    pub(super) async fn make(server: Option<&str>) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let node = NodeId::mint(clock.now());
        let (url, folder) = match server {
            None => {
                let folder = tempfile::Builder::new().prefix("flyball-bench-").tempdir();
                let folder = folder.context("making a folder for the measurement")?;
                (format!("sqlite:{}", folder.path().join("bench.db").display()), Some(folder))
            }
            Some(server) => (backlog::create(server, &name(node)).await?, None),
        };
        let made = Self { url, server: server.map(str::to_owned), clock, node, _folder: folder };
        let opened = made.store().await;
        let entered = match opened {
            Ok(store) => {
                let entered = made.enter(&store).await;
                store.close().await;
                entered
            }
            Err(error) => Err(error),
        };
        if let Err(error) = entered {
            made.drop().await?;
            return Err(error);
        }
        Ok(made)
    }

    /// Fills it: with so many rows of the sort, and so many that are ready.
    pub(super) async fn fill(&self, sort: Sort, [rows, ready]: [u32; 2], lanes: u32) -> anyhow::Result<()> {
        let now = self.clock.now();
        // Those that are ready first: beside many rows they are no longer where the last ones were written.
        for (sort, rows) in [(Sort::Ready, ready), (sort, rows)] {
            backlog::fill(&self.url, &Fill { sort, rows, lanes, now }).await?;
        }
        Ok(backlog::settle(&self.url).await?)
    }

    /// What a claim costs that is not time.
    pub(super) async fn effort(&self, jobs: u32) -> anyhow::Result<Effort> {
        Ok(backlog::effort(&self.url, &request(self.node, &self.clock, jobs), self.clock.now()).await?)
    }

    /// Opens it anew.
    pub(super) async fn open(&self) -> anyhow::Result<Claiming> {
        Ok(Claiming { store: self.store().await?, clock: self.clock.clone(), node: self.node })
    }

    /// Takes it away.
    pub(super) async fn drop(self) -> anyhow::Result<()> {
        if let Some(server) = &self.server {
            backlog::drop(server, &name(self.node)).await?;
        }
        Ok(())
    }

    async fn store(&self) -> anyhow::Result<SharedStore> {
        let options = OpenOptions {
            role: Role::Serve { name: "bench".into() },
            schema: SchemaMode::Migrate,
            lease: LEASE,
            ..OpenOptions::new(self.clock.clone())
        };
        Ok(store::open(&self.url, &options).await?)
    }

    async fn enter(&self, store: &SharedStore) -> anyhow::Result<()> {
        let node = NewNode {
            id: self.node,
            name: "bench".into(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            concurrency: 1,
            serves: Json::empty_object(),
            lease: LEASE,
            retention: None,
        };
        store.register(&node, &LossPolicy::default(), self.clock.now()).await?;
        Ok(())
    }
}

impl Claiming {
    /// How long it takes to claim so many.
    pub(super) async fn claim(&mut self, jobs: u32) -> anyhow::Result<Duration> {
        let request = request(self.node, &self.clock, jobs);
        let begun = self.clock.boot();
        self.store.claim(&request, self.clock.now()).await?;
        Ok(self.clock.boot().since(begun))
    }

    pub(super) async fn close(self) {
        self.store.close().await;
    }
}

fn name(node: NodeId) -> String {
    format!("flyball_bench_{}", node.to_string().replace('-', ""))
}

/// A claim of the kinds that are ready, and of those that are paused.
fn request(node: NodeId, clock: &Clock, jobs: u32) -> ClaimRequest {
    let kinds = std::iter::once("work".to_owned()).chain((0..10).map(|lane| format!("held{lane}")));
    let served = |name: String| ServedKind {
        kind: Kind::stored(&name),
        timeout: Duration::from_secs(60),
        digest: "none".into(),
    };
    ClaimRequest {
        node,
        runs: (0..jobs).map(|_| RunId::mint(clock.now())).collect(),
        queues: Queues::Every,
        shares: Vec::new(),
        kinds: kinds.map(served).collect(),
        classes: Classes::Only(vec![crate::job::ExecutorClass::default()]),
        turn: Turn::Fresh,
    }
}

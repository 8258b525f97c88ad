//! `flyball demo`: real jobs over real files, on a node of its own, from a fresh clone to a table.

mod base64;
mod checkout;
mod live;
mod local;
mod material;
mod outcome;
mod plan;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub(super) use checkout::Checkout;
pub(super) use local::{Ground, Local, unless_interrupted};

use self::live::Live;
use self::material::Material;
use self::outcome::Report;
use self::plan::Planned;
use super::{Exit, Globals};
use crate::config::Config;
use crate::telemetry::{self, LogConfig};

/// Events that wait to be shown; more than a demo has.
const EVENTS: usize = 4096;
/// Jobs are enqueued so many at a time.
const CHUNK: usize = 16;

/// Run jobs over the Markdown, text and pictures of a folder, on a node and a database of their own.
///
/// The sample workers are built from Flyball's repository first. One of the jobs spins until it is stopped, and one
/// fails twice before it succeeds. Exits with 0 if every job ended as it should.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// The folder to work on; the repository if none is given.
    dir: Option<PathBuf>,
    /// Keep the database and the workers in this folder, to look at them afterwards.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Where the demo's database and workers are.
enum Folder {
    /// Until the demo ends.
    Passing(tempfile::TempDir),
    Kept(PathBuf),
}

impl Demo {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        telemetry::start_logging(&LogConfig { filter: "error".into(), ..LogConfig::default() })
            .map_err(anyhow::Error::msg)?;
        let config = Config::load_common(globals)?;
        let checkout = Checkout::find()?;
        let folder = Folder::open(self.keep)?;
        let plugins = folder.path().join("plugins");
        unless_interrupted(checkout.build_workers(&plugins)).await?;
        let mut material = Material::gather(self.dir.as_deref().unwrap_or_else(|| checkout.root()))?;

        let url = format!("sqlite:{}", folder.path().join("demo.db").display());
        let ground = Ground::open(&url, "demo", config).await?;
        let planned = plan::plan(&mut material, ground.clock.now())?;
        for skipped in &material.skipped {
            eprintln!("left out: {skipped}");
        }
        eprintln!("starting a node on {url}; its first start compiles the workers");
        let node = unless_interrupted(ground.start(plugins, ground.concurrency(), &plan::kinds()?)).await?;
        let report = unless_interrupted(show(&ground, &planned)).await;
        node.stop().await?;
        let report = report?;
        report.print();
        Ok(conclude(&report, &folder, &url))
    }
}

async fn show(ground: &Ground, planned: &[Planned]) -> anyhow::Result<Report> {
    let mut events = ground.events.subscribe(EVENTS);
    eprintln!("enqueueing {} jobs", planned.len());
    for chunk in planned.chunks(CHUNK) {
        let jobs = chunk.iter().map(|planned| (planned.id, planned.opts.clone()));
        ground.client.enqueue_many(jobs.collect()).await?;
    }
    let labels: HashMap<_, _> = planned.iter().map(|planned| (planned.id, planned.label.clone())).collect();
    Live::new(labels)?.watch(ground, &mut events).await?;
    Report::read(ground, planned).await
}

fn conclude(report: &Report, folder: &Folder, url: &str) -> Exit {
    say!();
    match folder {
        Folder::Passing(_) => {}
        Folder::Kept(_) => say!("kept: flyball --database {url} jobs list"),
    }
    if report.failures().is_empty() {
        say!("{} jobs ended as they should: all succeeded but `spin`, which was stopped", report.len());
        return Exit::Done;
    }
    for failure in report.failures() {
        eprintln!("error: {failure}");
    }
    Exit::Failed
}

impl Folder {
    fn open(keep: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(folder) = keep else {
            let folder = tempfile::Builder::new().prefix("flyball-demo-").tempdir();
            return Ok(Self::Passing(folder.context("making a folder for the demo's database")?));
        };
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("making the folder {}", folder.display()))?;
        let folder = folder.canonicalize().with_context(|| format!("looking for {}", folder.display()))?;
        Ok(Self::Kept(folder))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Passing(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

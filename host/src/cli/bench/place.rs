//! Where a measurement takes place: a database without unfinished jobs, and a worker.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::Globals;
use crate::cli::demo::{Checkout, Ground, Local};
use crate::cli::run::Alone;
use crate::config::Config;
use crate::job::{InsertOpts, Kind};
use crate::telemetry;

/// The worker of the repository that does nothing.
const SAMPLE: &str = "noop";

/// Options of every measurement.
#[derive(Debug, clap::Args)]
pub(super) struct PlaceArgs {
    /// The database to measure on, `sqlite:FILE` or `postgres://…`; a file in a folder of its own if none is given.
    ///
    /// It is not taken from --database or the configuration, so that nobody measures on the database of others by
    /// mistake. The jobs stay in it.
    #[arg(long, value_name = "URL")]
    on: Option<String>,
    /// Measure with the worker of this kind in the plugins folder, not with the sample that does nothing.
    #[arg(long, conflicts_with = "wasm")]
    kind: Option<Kind>,
    /// Measure with this component.
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    /// What every job is given: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    args: String,
    /// Attempts at once.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=4096))]
    concurrency: u32,
    /// Measure even if the database has unfinished jobs; those of this kind are worked off too.
    #[arg(long)]
    unfinished: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A database, a worker, and how many attempts at once.
pub(super) struct Place {
    pub(super) ground: Ground,
    pub(super) worker: Alone,
    pub(super) concurrency: u32,
    args: String,
    /// It holds the database, if none was named, and goes when the measurement is over.
    _folder: tempfile::TempDir,
}

impl PlaceArgs {
    /// Opens the database, and finds or builds the worker.
    pub(super) async fn prepare(&self, globals: &Globals) -> anyhow::Result<Place> {
        let config = Config::load_common(globals)?;
        telemetry::start_logging(&telemetry::LogConfig { filter: "warn".into(), ..config.log.clone() })
            .map_err(anyhow::Error::msg)?;
        let folder = tempfile::Builder::new().prefix("flyball-bench-").tempdir();
        let folder = folder.context("making a folder for the measurement")?;
        let worker = self.worker(&config, folder.path()).await?;
        let url =
            self.on.clone().unwrap_or_else(|| format!("sqlite:{}", folder.path().join("bench.db").display()));
        let ground = Ground::open(&url, "bench", config).await?;
        let unfinished = unfinished(&ground).await?;
        if unfinished > 0 && !self.unfinished {
            bail!(
                "the database has unfinished jobs ({unfinished}), and a node that is started for a measurement would \
                 run those of the kind {}: measure on another database, or say --unfinished",
                worker.kind()
            );
        }
        let concurrency = self.concurrency;
        let args = crate::cli::enqueue::read_args(&self.args)?;
        Ok(Place { ground, worker, concurrency, args, _folder: folder })
    }

    /// The worker, in a folder with nothing else in it, so that nothing else is claimed.
    async fn worker(&self, config: &Config, folder: &Path) -> anyhow::Result<Alone> {
        match (&self.kind, &self.wasm) {
            (Some(kind), _) => Alone::of_kind(kind, &config.plugins.folder),
            (None, Some(file)) => Alone::of_file(file),
            (None, None) => {
                let built = folder.join("built");
                Checkout::find()?.build_workers(&built).await?;
                Alone::of_kind(&SAMPLE.parse()?, &built)
            }
        }
    }
}

impl Place {
    /// One job to measure with.
    pub(super) fn opts(&self) -> InsertOpts {
        InsertOpts::new(self.worker.kind().clone(), self.args.clone())
    }

    /// Starts the node.
    pub(super) async fn start(&self) -> anyhow::Result<Local> {
        let kinds = [self.worker.kind().clone()];
        self.ground.start(self.worker.folder().to_owned(), self.concurrency, &kinds).await
    }
}

/// Jobs that have not ended, as the database has them.
pub(super) async fn unfinished(ground: &Ground) -> anyhow::Result<u64> {
    let states = ground.client.overview().await?.states;
    Ok(states.iter().filter(|(state, _)| !state.is_terminal()).map(|(_, jobs)| jobs).sum())
}

//! Under what a measurement was made: without it a number says nothing.

use serde::Serialize;

use super::place::Place;
use crate::job::Kind;
use crate::store::Database;

/// What a number depends on.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    version: &'static str,
    /// A program that was built without optimisation measures itself.
    build: &'static str,
    database: Database,
    kind: Kind,
    concurrency: u32,
    cores: usize,
    os: &'static str,
    arch: &'static str,
}

impl Setting {
    pub(super) fn of(place: &Place) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            database: place.ground.store.database(),
            kind: place.worker.kind().clone(),
            concurrency: place.concurrency,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
        }
    }

    pub(super) fn print(&self) {
        let Self { version, build, database, kind, concurrency, cores, os, arch } = self;
        let database = match database {
            Database::Sqlite => "SQLite",
            Database::Postgres => "PostgreSQL",
        };
        say!(
            "flyball {version} ({build}), {database}, {concurrency} attempts at once, {cores} cores, {os} {arch}, kind {kind}"
        );
        if cfg!(debug_assertions) {
            say!("this program was built without optimisation: measure with `cargo run --release -- bench`");
        }
    }
}

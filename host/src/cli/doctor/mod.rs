//! `flyball doctor`: what is wrong, and what to do about it.

mod database;
mod finding;
mod fleet;
mod lag;
mod schema;
mod settings;
mod workers;

use std::io::Write as _;

use serde::Serialize;

use self::finding::{Finding, Health};
use super::{Exit, Globals};
use crate::config::Config;

/// Look at the database, the plugins and the nodes, and say what is wrong and what to do.
///
/// The database is only read: its schema and indexes are compared with what the migrations make, its settings, clocks, nodes
/// and what waits are looked at. Nothing is repaired, and nothing changed but for compiled code that is kept. Exits with 1 if
/// something is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    health: Health,
    findings: Vec<Finding>,
}

impl Doctor {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let config = Config::load_common(globals)?;
        let mut findings = configuration(&config);
        let (database, client) = database::examine(&config).await;
        findings.extend(database);
        findings.extend(workers::examine(&config).await);
        if let Some(client) = client {
            findings.extend(fleet::examine(&client, &config).await);
            client.store().close().await;
        }
        let health = findings.iter().map(|finding| finding.health).max().unwrap_or(Health::Ok);
        let report = Report { health, findings };
        // A reader that goes away early (`| head`) is an error like any other, and no panic.
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
        } else {
            report.findings.iter().try_for_each(|finding| finding.print(&mut out))?;
        }
        Ok(match report.health {
            Health::Ok | Health::Warn => Exit::Done,
            Health::Fail => Exit::Failed,
        })
    }
}

fn configuration(config: &Config) -> Vec<Finding> {
    let seen = config.file.as_ref().map_or_else(
        || "no file: defaults, environment and flags".to_owned(),
        |file| file.display().to_string(),
    );
    let remark =
        |remark: &String| Finding::warn("configuration", remark.clone(), "is its name spelled right?");
    std::iter::once(Finding::ok("configuration", seen)).chain(config.remarks.iter().map(remark)).collect()
}

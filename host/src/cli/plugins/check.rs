//! `flyball plugins check`.

use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::exit::Exit;
use crate::config::Config;
use crate::plugin::{InspectError, Inspected};

/// Loads components as a node would, and shows what they import, want and are granted. Fails if one would be refused.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Check {
    /// Components named `<kind>.wasm`, each with its manifest beside it, if it has one
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self, config: Config) -> Result<Exit> {
        let plugins = super::open(config)?;
        let mut exit = Exit::Done;
        let mut all = Vec::new();
        for file in &self.files {
            let inspected = plugins.inspect(file).await;
            exit = match (&inspected, exit) {
                (Ok(_), exit) => exit,
                (Err(InspectError::NotFound(_)), Exit::Done) => Exit::NotFound,
                (Err(_), _) => Exit::Failed,
            };
            let shown = file.display().to_string();
            if self.json {
                all.push(as_json(&shown, &inspected)?);
            } else {
                print(&mut io::stdout().lock(), &shown, &inspected)?;
            }
        }
        if self.json {
            writeln!(io::stdout(), "{:#}", Value::Array(all))?;
        }
        Ok(exit)
    }
}

fn as_json(file: &str, inspected: &Result<Inspected, InspectError>) -> serde_json::Result<Value> {
    let mut value = match inspected {
        Ok(inspected) => serde_json::to_value(inspected)?,
        Err(error) => json!({ "reason": error.to_string() }),
    };
    value["file"] = file.into();
    Ok(value)
}

fn print(
    out: &mut impl io::Write,
    file: &str,
    inspected: &Result<Inspected, InspectError>,
) -> io::Result<()> {
    let inspected = match inspected {
        Ok(inspected) => inspected,
        Err(error) => return writeln!(out, "{file}: refused\n  {error}"),
    };
    writeln!(out, "{file}: {}", inspected.summary)?;
    for (name, entries) in
        [("imports", &inspected.imports), ("wants", &inspected.needs), ("granted", &inspected.granted)]
    {
        let entries = if entries.is_empty() { "nothing".into() } else { entries.join("\n            ") };
        writeln!(out, "  {name:8}  {entries}")?;
    }
    if inspected.granted.iter().any(|grant| grant.starts_with("enqueue:")) {
        writeln!(out, "  behind a barrier it reads what jobs of the kinds that it enqueues return")?;
    }
    for need in &inspected.missing {
        writeln!(out, "  it wants {need}, which {}.toml does not grant", inspected.kind)?;
    }
    Ok(())
}

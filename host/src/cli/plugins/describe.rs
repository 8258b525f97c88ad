//! `flyball plugins describe`.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::cli::exit::Exit;
use crate::config::Config;
use crate::job::Kind;
use crate::plugin::{InspectError, Inspected, Origin, Term, Terms};
use crate::quantity::{Bytes, Count, Span};

/// Shows what is to know of the worker for a kind: what it does, its args, its limits and who set them.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Describe {
    /// The kind
    kind: Kind,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Describe {
    pub(super) async fn run(self, config: Config) -> Result<Exit> {
        let component = config.plugins.folder.join(format!("{}.wasm", self.kind));
        let inspected = match super::open(config)?.inspect(&component).await {
            Ok(inspected) => inspected,
            Err(error) => {
                eprintln!("{}: {error}", self.kind);
                return Ok(match error {
                    InspectError::NotFound(_) => Exit::NotFound,
                    InspectError::Refused(_) => Exit::Failed,
                });
            }
        };
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&inspected)?)?;
        } else {
            print(&mut out, &inspected)?;
        }
        Ok(Exit::Done)
    }
}

fn print(out: &mut impl io::Write, inspected: &Inspected) -> Result<()> {
    let Inspected { kind, digest, summary, granted, missing, terms, args_schema, .. } = inspected;
    writeln!(out, "{kind}: {summary}")?;
    writeln!(out, "digest {digest}\n")?;
    for line in lines_of(terms) {
        writeln!(out, "{line}")?;
    }
    for grant in granted {
        writeln!(out, "granted         {grant}")?;
    }
    for need in missing {
        writeln!(out, "not granted     {need}")?;
    }
    match args_schema {
        Some(schema) => {
            let schema: Value = serde_json::from_str(schema.as_str())?;
            writeln!(out, "\nargs\n{schema:#}")?;
        }
        None => writeln!(out, "\nargs: anything (the worker gives no schema)")?,
    }
    Ok(())
}

fn lines_of(terms: &Terms) -> Vec<String> {
    let Terms { timeout, fuel, memory, output, max_attempts, base, cap, retry_resource } = terms;
    let span = |duration: Duration| Span(duration).to_string();
    let bytes = |number| Bytes(number).to_string();
    vec![
        line("timeout", timeout, span),
        line("fuel", fuel, |number| Count(number).to_string()),
        line("memory", memory, bytes),
        line("output", output, bytes),
        line("max_attempts", max_attempts, |number| number.to_string()),
        line("base", base, span),
        line("cap", cap, span),
        line("retry_resource", retry_resource, |whether| whether.to_string()),
    ]
}

fn line<T: Copy, S: Display>(name: &str, term: &Term<T>, shown: impl Fn(T) -> S) -> String {
    let origin = match term.origin {
        Origin::Manifest => "manifest",
        Origin::Describe => "worker",
        Origin::Host => "default",
    };
    let cut = term.cut_from.map(|asked| format!(", cut from {}", shown(asked))).unwrap_or_default();
    format!("{name:14}  {:>8}  {origin}{cut}", shown(term.value).to_string())
}

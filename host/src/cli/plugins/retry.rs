//! `flyball plugins retry`.

use std::io::{self, Write as _};

use anyhow::Result;

use crate::cli::exit::Exit;
use crate::config::Config;
use crate::job::Kind;
use crate::plugin::{InspectError, Released};

/// Lifts the quarantine of a worker that did not compile, and tries it. A node tries it again too, within seconds.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Retry {
    /// The kind
    kind: Kind,
}

impl Retry {
    pub(super) async fn run(self, config: Config) -> Result<Exit> {
        let component = config.plugins.folder.join(format!("{}.wasm", self.kind));
        let plugins = super::open(config)?;
        let tried = match plugins.release(&component) {
            Ok(released) => plugins.inspect(&component).await.map(|inspected| (released, inspected)),
            Err(error) => Err(error),
        };
        match tried {
            Ok((released, inspected)) => {
                let was = match released {
                    Released::Freed => "compiles now",
                    Released::Free => "was not in quarantine, and compiles",
                };
                writeln!(io::stdout(), "{} {was}: {}", self.kind, inspected.digest)?;
                Ok(Exit::Done)
            }
            Err(error) => {
                eprintln!("{}: {error}", self.kind);
                Ok(match error {
                    InspectError::NotFound(_) => Exit::NotFound,
                    InspectError::Refused(_) => Exit::Failed,
                })
            }
        }
    }
}

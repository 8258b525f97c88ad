//! `flyball version`.

use super::{Exit, Globals};

/// Print the version of this program, of the worker contract it speaks, and of the engine.
#[derive(Debug, clap::Args)]
pub(super) struct Version {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Version {
    pub(super) async fn run(self, _globals: &Globals) -> anyhow::Result<Exit> {
        let version = env!("CARGO_PKG_VERSION");
        let contract = "flyball:worker@0.1.0";
        if self.json {
            say!("{}", serde_json::json!({ "version": version, "contract": contract }));
        } else {
            say!("flyball {version} ({contract}, not frozen yet)");
        }
        Ok(Exit::Done)
    }
}

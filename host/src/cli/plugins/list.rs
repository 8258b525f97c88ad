//! `flyball plugins list`.

use std::io::{self, Write as _};

use anyhow::Result;

use crate::cli::exit::Exit;
use crate::config::Config;
use crate::plugin::PluginState;

/// Lists the files of the plugins folder, each with what would become of it.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, config: Config) -> Result<Exit> {
        let folder = config.plugins.folder.clone();
        let plugins = super::open(config)?;
        plugins.load_all_once().await;
        let statuses = plugins.statuses();
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&statuses)?)?;
            return Ok(Exit::Done);
        }
        if statuses.is_empty() {
            writeln!(out, "there is no plugin in {}", folder.display())?;
        }
        let widest = statuses.iter().map(|status| status.file.len()).max().unwrap_or(0);
        for status in &statuses {
            let state = match status.state {
                PluginState::Settling => "settling",
                PluginState::Compiling => "compiling",
                PluginState::Loaded => "loaded",
                PluginState::Refused => "refused",
            };
            let digest = status.component_digest.as_deref().map_or("-", |digest| crate::job::cut(digest, 12));
            let reason = status.reason.as_deref().unwrap_or("");
            let line = format!("{:widest$}  {state:9}  {digest:12}  {reason}", status.file);
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(Exit::Done)
    }
}

//! `flyball prune`.

use super::connect::with_client;
use super::{Exit, Globals};
use crate::config::Config;
use crate::job::RetentionPolicy;
use crate::quantity::Span;
use crate::store::{Doom, Pruned};

/// Delete what has been kept for long enough, as `[retention]` says. Nodes do it by themselves; this is for those who
/// can't wait. A job stays as long as it, its parent or what continues it still needs it.
#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// All that ended longer ago than this, whatever `[retention]` says, such as `2d`.
    #[arg(long, value_name = "TIME")]
    older_than: Option<Span>,
    /// Only say how many of what.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Prune {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let policy = match self.older_than {
            Some(Span(age)) => RetentionPolicy::older_than(age),
            None => Config::load_common(globals)?.retention,
        };
        let (doom, word) =
            if self.dry_run { (Doom::Count, "would delete") } else { (Doom::Delete, "deleted") };
        with_client(globals, async |client| {
            let pruned = client.prune(&policy, doom).await?;
            if self.json {
                say!("{}", serde_json::to_string(&pruned)?);
            } else {
                say!("{word} {}", told(&pruned));
            }
            Ok(Exit::Done)
        })
        .await
    }
}

fn told(pruned: &Pruned) -> String {
    let Pruned { jobs, runs, logs, checkpoints, actions, nodes, .. } = pruned;
    format!(
        "{jobs} jobs, {runs} runs, {logs} lines of log, {checkpoints} checkpoints, {actions} orders of operators, \
         {nodes} nodes"
    )
}

//! `flyball prune`.

use super::connect::with_client;
use super::{Exit, Globals};
use crate::config::Config;
use crate::job::RetentionPolicy;
use crate::quantity::Span;
use crate::store::{Doom, FleetPolicy, Pruned};

/// Delete what has been kept for long enough, as `[retention]` says: that of this configuration, and that of every node
/// which takes part in maintenance, and is not gone for a day. The longest counts. Nodes do it by themselves; this is for those who
/// can't wait. A job stays as long as it, its parent or what continues it still needs it.
#[derive(Debug, clap::Args)]
pub(super) struct Prune {
    /// All that ended longer ago than this, such as `2d`, whatever else `[retention]` says: but what one keeps for ever
    /// ("never") stays.
    #[arg(long, value_name = "TIME")]
    older_than: Option<Span>,
    /// With --older-than: take what is to be kept for ever, too.
    #[arg(long, requires = "older_than")]
    all: bool,
    /// Only say how many of what.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Prune {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let own = Config::load_common(globals)?.retention;
        let (doom, word) =
            if self.dry_run { (Doom::Count, "would delete") } else { (Doom::Delete, "deleted") };
        with_client(globals, async |client| {
            self.note(&client.fleet_policy(&own).await?);
            let pruned = client.prune_fleet(&own, |fleet| self.policy(fleet), doom).await?;
            if self.json {
                say!("{}", serde_json::to_string(&pruned)?);
            } else {
                say!("{word} {}", told(&pruned));
            }
            Ok(Exit::Done)
        })
        .await
    }

    /// How long things are kept, as this is asked.
    fn policy(&self, fleet: &FleetPolicy) -> RetentionPolicy {
        match self.older_than.map(|Span(age)| RetentionPolicy::older_than(age)) {
            None => fleet.policy.clone(),
            Some(asked) if self.all => asked,
            Some(asked) => asked.sparing(&fleet.policy),
        }
    }

    /// Tells what is left alone, where somebody may not expect it.
    fn note(&self, fleet: &FleetPolicy) {
        if let (None, Some(nodes)) = (self.older_than, &fleet.disagreement) {
            eprintln!(
                "note: not all keep things as this configuration does, and the longest counts: {nodes}"
            );
        }
        let spared = fleet.policy.for_ever();
        if self.older_than.is_some() && !self.all && !spared.is_empty() {
            eprintln!("note: kept for ever, and left alone without --all: {}", spared.join(", "));
        }
    }
}

fn told(pruned: &Pruned) -> String {
    let Pruned { jobs, runs, logs, checkpoints, actions, nodes, .. } = pruned;
    format!(
        "{jobs} jobs, {runs} runs, {logs} lines of log, {checkpoints} checkpoints, {actions} orders of operators, \
         {nodes} nodes"
    )
}

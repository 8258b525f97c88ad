//! `flyball nodes list`.

use super::connect::with_client;
use super::table::Table;
use super::{Exit, Globals};
use crate::job::Timestamp;
use crate::store::NodeRecord;

/// Look at the nodes.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Nodes {
    /// The nodes, newest first, those that have gone included.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

impl Nodes {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let Self::List { json } = self;
        with_client(globals, async |client| {
            let nodes = client.nodes().await?;
            if json {
                say!("{}", serde_json::to_string(&nodes)?);
            } else {
                print(&nodes, client.clock().now());
            }
            Ok(Exit::Done)
        })
        .await
    }
}

/// A row for each node.
pub(super) fn print(nodes: &[NodeRecord], now: Timestamp) {
    if nodes.is_empty() {
        say!("no node has been started on this database: `flyball serve` starts one");
        return;
    }
    let mut table = Table::new(["node", "name", "pid", "version", "state", "in flight", "of", "kinds"]);
    for node in nodes {
        table.row([
            node.id.to_string(),
            node.name.clone(),
            node.pid.to_string(),
            node.version.clone(),
            state(node, now).into(),
            node.in_flight.to_string(),
            node.concurrency.to_string(),
            node.kind_names().join(" "),
        ]);
    }
    table.print();
}

fn state(node: &NodeRecord, now: Timestamp) -> &'static str {
    match (node.left_at, node.is_alive(now)) {
        (Some(_), _) => "left",
        (None, true) => "alive",
        (None, false) => "lost",
    }
}

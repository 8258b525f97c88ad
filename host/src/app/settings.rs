//! What a node is made with, and who is told what of it.

use std::net::SocketAddr;

use crate::config::{Maintenance, NodeConfig};
use crate::job::{Limit, RetentionPolicy};
use crate::plugin::PluginsConfig;
use crate::runner::RunnerConfig;
use crate::sandbox::SandboxConfig;
use crate::scheduler::SchedulerConfig;
use crate::timing::Schedule;

/// Everything that a node needs to be told, but for its store and its clock.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// How it takes and holds its work.
    pub node: NodeConfig,
    /// How its sandbox is sized.
    pub sandbox: SandboxConfig,
    /// Where its plugins come from.
    pub plugins: PluginsConfig,
    /// The schedules of the configuration; `None` if there is no file that could have any.
    pub schedules: Option<Vec<Schedule>>,
    /// The limits of the configuration; `None` if there is no file that could have any.
    pub limits: Option<Vec<Limit>>,
    /// How long what has ended is kept.
    pub retention: RetentionPolicy,
    /// Where it answers probes; nowhere, if there is none.
    pub listen: Option<SocketAddr>,
}

impl NodeSettings {
    pub(super) fn runner(&self) -> RunnerConfig {
        let node = self.node.clone();
        RunnerConfig {
            name: node.name,
            concurrency: node.concurrency,
            queues: node.queues,
            classes: node.classes,
            lease: node.lease,
            losses: node.losses,
            stop_grace: node.stop_grace,
            poll_interval: node.poll_interval,
            retention: match node.maintenance {
                Maintenance::Shared => Some(self.retention.clone()),
                Maintenance::Never => None,
            },
        }
    }

    pub(super) fn scheduler(&self) -> SchedulerConfig {
        let NodeConfig { lease, losses, deadline_grace, poll_interval, .. } = self.node;
        SchedulerConfig {
            lease,
            losses,
            deadline_grace,
            poll_interval,
            schedules: self.schedules.clone(),
            retention: self.retention.clone(),
        }
    }
}

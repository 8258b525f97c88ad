//! What a node is made with, and who is told what of it.

use std::net::SocketAddr;

use super::checks::Check;
use super::observers::{Observer, Recorder};
use crate::client::Client;
use crate::config::{Maintenance, NodeConfig};
use crate::job::{Limit, RetentionPolicy};
use crate::plugin::PluginsConfig;
use crate::runner::{MemberConfig, RunnerConfig};
use crate::sandbox::SandboxConfig;
use crate::scheduler::SchedulerConfig;
use crate::service::Service;
use crate::timing::Schedule;

/// A setting that can't be, or that makes no sense beside another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct SettingsError {
    setting: &'static str,
    problem: String,
}

impl SettingsError {
    pub(super) fn new(setting: &'static str, problem: impl Into<String>) -> Self {
        Self { setting, problem: problem.into() }
    }
}

/// Everything that a node with one runner needs to be told, but for its store: what a configuration says.
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

/// A node, before it is started.
pub(super) struct Plan {
    /// Its queues, classes and concurrency are those of its runners.
    pub(super) node: NodeConfig,
    /// What it runs jobs with, if it runs any.
    pub(super) work: Option<WorkPlan>,
    pub(super) schedules: Option<Vec<Schedule>>,
    pub(super) limits: Option<Vec<Limit>>,
    pub(super) retention: RetentionPolicy,
    pub(super) listen: Option<SocketAddr>,
    pub(super) guests: Guests,
}

/// What a node runs jobs with.
pub(super) struct WorkPlan {
    pub(super) sandbox: SandboxConfig,
    pub(super) plugins: PluginsConfig,
    pub(super) runners: Vec<RunnerConfig>,
}

/// How a service is made that wants to enqueue or to read.
pub(super) type MakeService = Box<dyn FnOnce(Client) -> Service + Send>;

/// What the program brings along that the node is part of.
#[derive(Default)]
pub(super) struct Guests {
    pub(super) checks: Vec<Check>,
    pub(super) services: Vec<MakeService>,
    pub(super) recorders: Vec<Recorder>,
    pub(super) observers: Vec<Observer>,
}

impl From<NodeSettings> for Plan {
    fn from(settings: NodeSettings) -> Self {
        let NodeSettings { node, sandbox, plugins, schedules, limits, retention, listen } = settings;
        let runner = RunnerConfig {
            name: "default".to_owned(),
            concurrency: node.concurrency,
            queues: node.queues.clone(),
            classes: node.classes.clone(),
            poll_interval: node.poll_interval,
        };
        let work = Some(WorkPlan { sandbox, plugins, runners: vec![runner] });
        Self { node, work, schedules, limits, retention, listen, guests: Guests::default() }
    }
}

impl Plan {
    pub(super) fn member(&self) -> MemberConfig {
        let NodeConfig { name, lease, losses, stop_grace, maintenance, .. } = self.node.clone();
        MemberConfig {
            name,
            lease,
            losses,
            stop_grace,
            retention: match maintenance {
                Maintenance::Shared => Some(self.retention.clone()),
                Maintenance::Never => None,
            },
            runners: self.work.as_ref().map(|work| work.runners.clone()).unwrap_or_default(),
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

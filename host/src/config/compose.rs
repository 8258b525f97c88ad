//! From what was said to what holds: layers, defaults, and ranges.

use std::collections::BTreeSet;
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::Duration;

use super::args::known_variables;
use super::file::FileConfig;
use super::limit::FileLimit;
use super::schedule::FileSchedule;
use super::settings::{CommonSettings, NodeSettings};
use super::value::{ClassName, Listen, QueueChoice, QueueTerms};
use super::{Config, ConfigError, Globals, Maintenance, NodeConfig, ServeArgs, ambient};
use crate::job::{ExecutorClass, Limit, LossPolicy, Queue, ServedQueue};
use crate::plugin::{Ceilings, PluginsConfig};
use crate::quantity::{Bytes, Span};
use crate::sandbox::SandboxConfig;
use crate::store::{Classes, database_of};
use crate::telemetry::LogConfig;
use crate::timing::Schedule;

/// Less is too little for any worker.
pub(crate) const LEAST_GUEST_MEMORY: Bytes = Bytes(16 << 20);
/// More slots no node has.
pub(crate) const MOST_CONCURRENCY: u32 = 65_535;

/// What the word in place of a folder or an address means.
const NONE: &str = "none";
const DEFAULT_DATABASE: &str = "sqlite:flyball.db";
const DEFAULT_PLUGINS: &str = "plugins";
const DEFAULT_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8484);

impl Config {
    /// For `serve`: its flags, over the environment, over the file.
    ///
    /// # Errors
    /// [`ConfigError`] says where, what is wrong, and what to do.
    pub fn load(globals: &Globals, serve: &ServeArgs) -> Result<Self, ConfigError> {
        let (path, file) = FileConfig::load(globals.config.as_deref())?;
        let config = Self::compose(globals, serve, &file)?;
        // Without a file there is nothing that a schedule or a limit could have left.
        let schedules = config.schedules.filter(|_| path.is_some());
        let limits = config.limits.filter(|_| path.is_some());
        Ok(Self { file: path, remarks: remarks(), schedules, limits, ..config })
    }

    /// For a command without the flags of `serve`: the environment over the file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_common(globals: &Globals) -> Result<Self, ConfigError> {
        Self::load(globals, &ServeArgs::from_environment()?)
    }

    fn compose(globals: &Globals, serve: &ServeArgs, file: &FileConfig) -> Result<Self, ConfigError> {
        let CommonSettings { database, plugins, cache } = globals.common.clone().over(file.common());
        let settings = serve.node.clone().over(file.node.clone());
        let database = database.unwrap_or_else(|| DEFAULT_DATABASE.into());
        database_of(&database).map_err(|error| wrong("database", error.to_string()))?;
        let ceilings = file.ceilings();
        let sandbox = sandbox(&settings, &ceilings)?;
        let log = LogConfig::default();
        Ok(Self {
            file: None,
            database,
            synchronous: file.synchronous(),
            schedules: Some(schedules(file)?),
            limits: Some(limits(file)?),
            retention: file.retention.policy(),
            listen: match serve.listen.or(file.listen).unwrap_or(Listen::At(DEFAULT_LISTEN.into())) {
                Listen::At(address) => Some(address),
                Listen::Off => None,
            },
            plugins: PluginsConfig {
                folder: plugins.unwrap_or_else(|| DEFAULT_PLUGINS.into()),
                cache: cache.map_or_else(ambient::cache_folder, folder_or_none),
                ceilings,
            },
            log: LogConfig {
                format: settings.log_format.unwrap_or(log.format),
                filter: settings.log.clone().unwrap_or(log.filter),
            },
            node: node(settings, &sandbox, queues(&serve.queue, file, sandbox.slots))?,
            sandbox,
            remarks: Vec::new(),
        })
    }
}

/// The schedules of the file, each under a name of its own.
fn schedules(file: &FileConfig) -> Result<Vec<Schedule>, ConfigError> {
    let mut names = BTreeSet::new();
    for FileSchedule(schedule) in &file.schedules {
        if !names.insert(&schedule.slug) {
            return Err(wrong(
                "schedules",
                format!("two have the slug {:?}: each needs its own", schedule.slug),
            ));
        }
    }
    Ok(file.schedules.iter().map(|FileSchedule(schedule)| schedule.clone()).collect())
}

/// The limits of the file, each under a name of its own, and for jobs of its own.
fn limits(file: &FileConfig) -> Result<Vec<Limit>, ConfigError> {
    let limits: Vec<Limit> = file.limits.iter().map(|FileLimit(limit)| limit.clone()).collect();
    for (at, limit) in limits.iter().enumerate() {
        let before = &limits[..at];
        if before.iter().any(|other| other.name == limit.name) {
            return Err(wrong("limits", format!("two have the name {:?}: each needs its own", limit.name)));
        }
        if let Some(rival) = before.iter().find(|other| limit.rivals(other)) {
            let (a, b) = (&rival.name, &limit.name);
            let what =
                format!("{a} and {b} put the same jobs into lines by key, and a job waits in one line only");
            return Err(wrong("limits", what));
        }
    }
    Ok(limits)
}

fn folder_or_none(folder: PathBuf) -> Option<PathBuf> {
    (folder.as_os_str() != NONE).then_some(folder)
}

/// The queues that were named, by flags if there are any, else by the file.
fn queues(flags: &[QueueChoice], file: &FileConfig, concurrency: u32) -> Vec<ServedQueue> {
    let served = |queue: &Queue, terms: QueueTerms| ServedQueue {
        queue: queue.clone(),
        concurrency: terms.concurrency.map_or(concurrency, attempts),
        weight: terms.weight,
    };
    if flags.is_empty() {
        return file.queues.iter().map(|(queue, terms)| served(queue, *terms)).collect();
    }
    flags.iter().map(|choice| served(&choice.queue, choice.terms)).collect()
}

fn sandbox(settings: &NodeSettings, ceilings: &Ceilings) -> Result<SandboxConfig, ConfigError> {
    let host = SandboxConfig::default();
    let guest_memory = settings.guest_memory.map_or(host.guest_memory, |Bytes(bytes)| bytes);
    let least = LEAST_GUEST_MEMORY;
    if guest_memory < least.0 {
        return Err(wrong(
            "guest_memory",
            format!("{} is too little for any worker: at least {least}", Bytes(guest_memory)),
        ));
    }
    Ok(SandboxConfig {
        slots: settings.concurrency.map_or(host.slots, attempts),
        guest_memory,
        max_memory_bytes: ceilings.memory_bytes.min(guest_memory),
        stop_grace: settings.stop_grace.map_or(host.stop_grace, |Span(grace)| grace),
        allocator: settings.allocator.map_or(host.allocator, Into::into),
        ..host
    })
}

fn node(
    settings: NodeSettings,
    sandbox: &SandboxConfig,
    queues: Vec<ServedQueue>,
) -> Result<NodeConfig, ConfigError> {
    let concurrency = sandbox.slots;
    let NodeConfig { losses, lease, deadline_grace, poll_interval, drain_timeout, .. } =
        NodeConfig::default();
    let hour = Duration::from_secs(3600);
    let between = |key, span: Option<Span>, host, least: Duration| within(key, span, host, least, hour);
    Ok(NodeConfig {
        name: named(settings.name)?,
        concurrency,
        queues,
        classes: classes(settings.classes),
        lease: between("lease", settings.lease, lease, Duration::from_secs(1))?,
        losses: LossPolicy {
            max_crashes: settings.max_crashes.map_or(losses.max_crashes, NonZeroU32::get),
            backoff: settings.crash_backoff.map_or(losses.backoff, |delays| delays.0),
        },
        deadline_grace: between(
            "deadline_grace",
            settings.deadline_grace,
            deadline_grace,
            Duration::from_secs(1),
        )?,
        poll_interval: between(
            "poll_interval",
            settings.poll_interval,
            poll_interval,
            Duration::from_millis(10),
        )?,
        health_pulse: match settings.health_pulse {
            None | Some(Span(Duration::ZERO)) => None,
            given => Some(between("health_pulse", given, Duration::ZERO, Duration::from_secs(1))?),
        },
        stop_grace: between("stop_grace", settings.stop_grace, sandbox.stop_grace, Duration::ZERO)?,
        drain_timeout: between("drain_timeout", settings.drain_timeout, drain_timeout, Duration::ZERO)?,
        maintenance: match settings.no_maintenance {
            Some(true) => Maintenance::Never,
            Some(false) | None => Maintenance::Shared,
        },
    })
}

fn classes(names: Option<Vec<ClassName>>) -> Classes {
    let names = names.unwrap_or_else(|| vec![ClassName::Only(ExecutorClass::default())]);
    let only = |name| match name {
        ClassName::Every => None,
        ClassName::Only(class) => Some(class),
    };
    names.into_iter().map(only).collect::<Option<_>>().map_or(Classes::Every, Classes::Only)
}

fn named(name: Option<String>) -> Result<String, ConfigError> {
    let name = name.unwrap_or_else(ambient::machine_name);
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(wrong("name", "must be 1 to 255 bytes without control characters".into()));
    }
    Ok(name)
}

fn within(
    key: &'static str,
    span: Option<Span>,
    host: Duration,
    least: Duration,
    most: Duration,
) -> Result<Duration, ConfigError> {
    let Some(Span(span)) = span else { return Ok(host) };
    if (least..=most).contains(&span) {
        return Ok(span);
    }
    Err(wrong(key, format!("{}: must be {} to {}", Span(span), Span(least), Span(most))))
}

fn wrong(key: &'static str, problem: String) -> ConfigError {
    ConfigError::Value { key, problem }
}

/// Others have variables of such names too (Kubernetes makes `FLYBALL_PORT` for a service): unknown ones are told, not
/// refused.
fn remarks() -> Vec<String> {
    let known = known_variables();
    let unknown = ambient::variables_of_ours().into_iter().filter(|name| !known.contains(name));
    unknown.map(|name| format!("the variable {name} is set, but means nothing here")).collect()
}

fn attempts(number: NonZeroU16) -> u32 {
    number.get().into()
}

#[cfg(test)]
#[path = "compose_tests.rs"]
mod tests;

//! A runner of a node that is being built: which jobs it takes, and how many at once.

use std::time::Duration;

use super::SettingsError;
use crate::job::{ExecutorClass, Queue, ServedQueue, Weight};
use crate::runner::RunnerConfig;
use crate::store::Classes;

/// One runner of a node: it has slots of its own, so that its jobs never wait for those of another.
///
/// Without queues it takes from every queue, and without classes the jobs that have none.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    pub(super) name: String,
    pub(super) concurrency: Option<u32>,
    queues: Vec<(String, Option<u32>, u16)>,
    classes: Vec<String>,
}

impl RunnerSettings {
    /// A runner of this name, for operators to know it by.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), concurrency: None, queues: Vec::new(), classes: Vec::new() }
    }

    /// Runs so many attempts at once; four for each core, if nothing is said.
    #[must_use]
    pub fn concurrency(self, attempts: u32) -> Self {
        Self { concurrency: Some(attempts), ..self }
    }

    /// Takes from this queue, and from no other that is not named too.
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>) -> Self {
        self.queues.push((name.into(), None, 1));
        self
    }

    /// As [`RunnerSettings::queue`], with so many attempts of it at once at most.
    #[must_use]
    pub fn queue_up_to(mut self, name: impl Into<String>, attempts: u32) -> Self {
        self.queues.push((name.into(), Some(attempts), 1));
        self
    }

    /// As [`RunnerSettings::queue`], with a share of this weight, 1 to 1000, where queues of this runner compete.
    #[must_use]
    pub fn queue_weighing(mut self, name: impl Into<String>, weight: u16) -> Self {
        self.queues.push((name.into(), None, weight));
        self
    }

    /// Takes jobs of this executor class, and of no other that is not named too; `*` is every class, and the empty name
    /// the jobs without one.
    #[must_use]
    pub fn class(mut self, name: impl Into<String>) -> Self {
        self.classes.push(name.into());
        self
    }

    pub(super) fn config(self, host: u32, poll_interval: Duration) -> Result<RunnerConfig, SettingsError> {
        let wrong = |problem: String| SettingsError::new("runner", format!("{:?} {problem}", self.name));
        let concurrency = self.concurrency.unwrap_or(host);
        if concurrency == 0 {
            return Err(wrong("has no slot: at least one attempt at once".into()));
        }
        let mut queues: Vec<ServedQueue> = Vec::new();
        for (name, most, weight) in &self.queues {
            let queue = Queue::new(name)
                .map_err(|error| wrong(format!("takes from a queue that is none: {error}")))?;
            let most = most.unwrap_or(concurrency);
            if most == 0 {
                return Err(wrong(format!("takes none at once from the queue {queue}: at least one")));
            }
            if queues.iter().any(|other| other.queue == queue) {
                return Err(wrong(format!("takes from the queue {queue} twice")));
            }
            let weight = Weight::new(*weight).ok_or_else(|| {
                wrong(format!("weighs the queue {queue} with {weight}: 1 to {}", Weight::MOST))
            })?;
            queues.push(ServedQueue { queue, concurrency: most, weight });
        }
        let class = |name: &String| {
            ExecutorClass::new(name).map_err(|error| wrong(format!("has a class that is none: {error}")))
        };
        let classes = match self.classes.as_slice() {
            [] => Classes::Only(vec![ExecutorClass::default()]),
            names if names.iter().any(|name| name == "*") => Classes::Every,
            names => Classes::Only(names.iter().map(class).collect::<Result<_, _>>()?),
        };
        Ok(RunnerConfig { name: self.name, concurrency, queues, classes, poll_interval })
    }
}

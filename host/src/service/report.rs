//! What is known of a service: readable while it runs and after it stopped.

use std::collections::VecDeque;

use serde::Serialize;

use super::Importance;
use crate::job::{RunId, Timestamp};

/// How many events a report keeps.
const MAX_EVENTS: usize = 32;

/// How a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its start is deferred.
    Waiting,
    /// It runs.
    Running,
    /// It failed and is about to be started again.
    Restarting,
    /// It was told to stop, and did.
    Stopped,
    /// It failed for good.
    Dead,
}

/// What is known of one service.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub name: &'static str,
    /// Whether the node depends on it.
    pub essential: bool,
    /// How it stands.
    pub status: Status,
    /// Executions so far.
    pub executions: u32,
    /// The execution that runs or ran last.
    pub execution_id: Option<RunId>,
    /// The last events, oldest first.
    pub events: VecDeque<ServiceEvent>,
}

/// Something that happened to a service.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceEvent {
    /// When.
    pub at: Timestamp,
    /// What it was from then on.
    pub status: Status,
    /// Why, if there is more to say.
    pub reason: Option<String>,
}

impl Report {
    pub(super) fn new(name: &'static str, importance: Importance) -> Self {
        Self {
            name,
            essential: importance == Importance::Essential,
            status: Status::Waiting,
            executions: 0,
            execution_id: None,
            events: VecDeque::new(),
        }
    }

    pub(super) fn note(&mut self, at: Timestamp, status: Status, reason: Option<String>) {
        self.status = status;
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(ServiceEvent { at, status, reason });
    }
}

//! A worker that is ready to run, and what it says about itself.

use std::sync::Arc;
use std::time::Duration;

use super::bindings::WorkerPre;
use super::describe::Described;
use super::guest::Guest;
use crate::job::{Backoff, Json, Kind};

/// A worker: compiled, linked, and asked to describe itself. Cheap to clone.
#[derive(Clone)]
pub struct Worker(Arc<Prepared>);

struct Prepared {
    kind: Kind,
    digest: String,
    described: Described,
    pre: WorkerPre<Guest>,
}

/// What a worker says about itself: checked, bounded, and only wishes. The ceilings of the operator go before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// One line for people.
    pub summary: String,
    /// The JSON Schema of the args.
    pub args_schema: Option<Json>,
    /// What it wishes for its jobs.
    pub defaults: Defaults,
    /// The grants without which it can't work.
    pub needs: Vec<String>,
}

/// What a worker wishes for its jobs; `None` where it does not care.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Wall time of one attempt.
    pub timeout: Option<Duration>,
    /// Fuel of one attempt.
    pub fuel: Option<u64>,
    /// Memory of one attempt.
    pub memory_bytes: Option<u64>,
    /// Charged attempts before a job is discarded.
    pub max_attempts: Option<u32>,
    /// Delays between attempts.
    pub backoff: Option<Backoff>,
}

impl Worker {
    pub(super) fn new(kind: Kind, digest: String, described: Described, pre: WorkerPre<Guest>) -> Self {
        Self(Arc::new(Prepared { kind, digest, described, pre }))
    }

    /// The kind whose jobs it runs.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The digest of the component.
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// What it says about itself.
    pub fn description(&self) -> &Description {
        &self.0.described.description
    }

    /// Bytes that its memories and tables have before it is called for the first time: no attempt gets by with less.
    pub fn initial_memory(&self) -> u64 {
        self.0.described.initial_memory
    }

    pub(super) fn pre(&self) -> &WorkerPre<Guest> {
        &self.0.pre
    }
}

//! What one load made: a worker, and everything that can be decided about its jobs before the first of them runs.

use std::fmt;

use super::grants::Grants;
use super::manifest::Manifest;
use super::terms::{Bounds, Ceilings, Terms, TooMuch, Wishes};
use crate::job::{Backoff, Budget, Failure, Json, Kind, Overrides, RetryPolicy};
use crate::quantity::Bytes;
use crate::sandbox::{Defaults, Worker};
use crate::schema::ArgsSchema;
use crate::store::{KindDefaults, PublishedKind, ServedKind};

/// A worker in service. Attempts hold it by `Arc`: one that runs keeps what it began with.
pub struct Plugin {
    worker: Worker,
    ceilings: Ceilings,
    terms: Terms,
    grants: Grants,
    args: Option<ArgsSchema>,
}

/// Why a worker and its manifest do not make a plugin.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// The manifest asks for more than there is.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// The worker begins with more memory than an attempt of it may have: each would end before it began.
    #[error(
        "it begins with {initial} of memory, and its jobs may have {limit}: build it to begin with less, or {advice}"
    )]
    Cramped { initial: Bytes, limit: Bytes, advice: String },
    /// The worker's schema of its args is none, or none that we take.
    #[error("the schema of the args that its describe() returns is not usable: {0}")]
    Schema(String),
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({} {})", self.kind(), self.digest())
    }
}

impl Plugin {
    pub(super) fn new(worker: Worker, manifest: &Manifest, bounds: &Bounds) -> Result<Self, Unfit> {
        let description = worker.description();
        let terms = Terms::resolve(&manifest.wishes(), &wishes(&description.defaults), bounds)?;
        check_room(&worker, &terms, bounds)?;
        let args =
            description.args_schema.as_ref().map(ArgsSchema::compile).transpose().map_err(Unfit::Schema)?;
        let grants = Grants::new(worker.kind().clone(), manifest.enqueue().clone());
        Ok(Self { worker, ceilings: bounds.ceilings, terms, grants, args })
    }

    /// The kind whose jobs it runs.
    pub fn kind(&self) -> &Kind {
        self.worker.kind()
    }

    /// The SHA-256 of its component, in hex.
    pub fn digest(&self) -> &str {
        self.worker.digest()
    }

    /// What runs its attempts.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// What its jobs get if they ask for nothing, and who said so.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What it may do beyond computing.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// What one attempt of a job may use.
    pub fn budget(&self, job: &Overrides) -> Budget {
        self.terms.budget(job, &self.ceilings)
    }

    /// How a job's failures are treated.
    pub fn retry(&self, job: &Overrides) -> RetryPolicy {
        self.terms.retry(job)
    }

    /// Whether args match the worker's schema. Blocks for a fraction of a second at the very most.
    ///
    /// # Errors
    /// A failure of class `validation` that says where and what is wrong.
    pub fn check_args(&self, args: &Json) -> Result<(), Failure> {
        self.args.as_ref().map_or(Ok(()), |schema| schema.check(args))
    }

    /// The same where nothing may block: `None` if it would. Ordinary args of a few kilobytes have their answer.
    pub fn check_args_at_once(&self, args: &Json) -> Option<Result<(), Failure>> {
        self.args.as_ref().map_or(Some(Ok(())), |schema| schema.check_at_once(args))
    }

    /// How a claim asks for its jobs.
    pub fn served(&self) -> ServedKind {
        let timeout = self.terms.timeout.value;
        ServedKind { kind: self.kind().clone(), timeout, digest: self.digest().to_owned() }
    }

    /// How its node tells of it.
    pub fn published(&self) -> PublishedKind {
        let Terms { timeout, fuel, memory, max_attempts, base, cap, .. } = &self.terms;
        PublishedKind {
            kind: self.kind().clone(),
            digest: self.digest().to_owned(),
            summary: self.worker.description().summary.clone(),
            args_schema: self.worker.description().args_schema.clone(),
            defaults: KindDefaults {
                max_attempts: max_attempts.value,
                timeout_ms: u64::try_from(timeout.value.as_millis()).unwrap_or(u64::MAX),
                fuel: fuel.value,
                memory_bytes: memory.value,
                backoff: Backoff { base: base.value, cap: cap.value },
            },
        }
    }
}

fn check_room(worker: &Worker, terms: &Terms, bounds: &Bounds) -> Result<(), Unfit> {
    let (initial, limit) = (worker.initial_memory(), terms.memory.value);
    if initial <= limit {
        return Ok(());
    }
    let kind = worker.kind();
    let advice = if initial <= bounds.memory_bytes() {
        format!("set `memory` under [limits] in {kind}.toml to more than that")
    } else {
        "have the operator raise `memory` under [ceilings] and `guest_memory` under [node] in flyball.toml"
            .into()
    };
    Err(Unfit::Cramped { initial: Bytes(initial), limit: Bytes(limit), advice })
}

fn wishes(defaults: &Defaults) -> Wishes {
    let Defaults { timeout, fuel, memory_bytes, max_attempts, backoff } = defaults.clone();
    Wishes {
        timeout,
        fuel,
        memory_bytes,
        max_attempts,
        base: backoff.map(|backoff| backoff.base),
        cap: backoff.map(|backoff| backoff.cap),
        output_bytes: None,
        retry_resource: None,
    }
}

//! Args are checked against the schemas that nodes publish, so that whoever enqueues learns at once what is wrong.
//!
//! A kind that nobody has published yet is taken as it is, and so is what matched a schema that was replaced a moment
//! ago: the node checks again before it runs anything.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Client, Result};
use crate::clock::Boot;
use crate::job::{AdmitError, Failure, Json, Kind, NewJob};
use crate::schema::{self, ArgsSchema};

/// How long what was read is believed. What does not match is read again first.
const BELIEVED: Duration = Duration::from_secs(5);
/// Kinds that are remembered at most; one more, and all are read again.
const MOST: usize = 1000;

/// The schemas that were read. Cheap to ask: a kind is read once in a while, and compiled when it has changed.
#[derive(Default)]
pub(super) struct Schemas(Mutex<HashMap<Kind, Known>>);

#[derive(Clone)]
struct Known {
    text: Option<Json>,
    schema: Option<Arc<ArgsSchema>>,
    read_at: Boot,
}

impl Schemas {
    fn get(&self, kind: &Kind) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(kind).cloned()
    }

    fn put(&self, kind: Kind, known: Known) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(kind, known);
    }
}

impl Client {
    /// Checks the args of jobs.
    ///
    /// # Errors
    /// [`AdmitError::Schema`] names the field, and the job if there are several; as [`Client::job`] besides.
    pub(super) async fn check_args(&self, jobs: &[NewJob]) -> Result<()> {
        if !schema::CHECKS {
            return Ok(());
        }
        let mut kinds: HashMap<&Kind, Known> = HashMap::new();
        for (at, job) in jobs.iter().enumerate() {
            if !kinds.contains_key(&job.kind) {
                kinds.insert(&job.kind, self.believed(&job.kind).await?);
            }
            if mismatch(&kinds[&job.kind], &job.args).await.is_none() {
                continue;
            }
            // Another worker may have been published meanwhile.
            let known = self.read(&job.kind).await?;
            if let Some(failure) = mismatch(&known, &job.args).await {
                let which = if jobs.len() > 1 {
                    format!("job {} of {}: ", at + 1, jobs.len())
                } else {
                    String::new()
                };
                return Err(AdmitError::Schema(format!("{which}{}", failure.message())).into());
            }
            kinds.insert(&job.kind, known);
        }
        Ok(())
    }

    async fn believed(&self, kind: &Kind) -> Result<Known> {
        match self.schemas.get(kind) {
            Some(known) if self.clock.boot() < known.read_at.after(BELIEVED) => Ok(known),
            Some(_) | None => self.read(kind).await,
        }
    }

    async fn read(&self, kind: &Kind) -> Result<Known> {
        let read_at = self.clock.boot();
        let record = self.repeated(|| self.store.kind(kind)).await?;
        let text = record.and_then(|record| record.args_schema);
        let schema = match self.schemas.get(kind) {
            Some(known) if known.text == text => known.schema,
            Some(_) | None => compile(text.clone()).await,
        };
        let known = Known { text, schema, read_at };
        self.schemas.put(kind.clone(), known.clone());
        Ok(known)
    }
}

/// One that this version does not take is for the node to judge.
async fn compile(text: Option<Json>) -> Option<Arc<ArgsSchema>> {
    let text = text?;
    let compiled = tokio::task::spawn_blocking(move || ArgsSchema::compile(&text)).await.ok()?;
    compiled
        .inspect_err(|error| tracing::debug!(error, "a published schema is not understood"))
        .ok()
        .map(Arc::new)
}

/// In what the args do not match. What takes longer than others may wait is done aside.
async fn mismatch(known: &Known, args: &Json) -> Option<Failure> {
    let schema = known.schema.as_ref()?;
    let checked = match schema.check_at_once(args) {
        Some(checked) => checked,
        None => {
            let (schema, args) = (Arc::clone(schema), args.clone());
            tokio::task::spawn_blocking(move || schema.check(&args)).await.unwrap_or(Ok(()))
        }
    };
    checked.err()
}

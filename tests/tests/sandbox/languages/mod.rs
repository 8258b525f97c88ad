//! One list of promises for the workers of all languages: the same orders, by the same args, come to the same.

mod calls;
mod durations;
mod endings;
mod family;
mod promises;

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use flyball::job::{Completion, Failure, Verdict};
use flyball::sandbox::{Attempt, Ended, Worker};
use flyball_tests::{guests, house};
use serde_json::Value;

use crate::ground::{Ground, Memory};

/// A worker that does what its args say, in one of the languages.
pub(crate) struct Spoken {
    ground: Ground,
    worker: Worker,
}

impl Spoken {
    /// Nothing, said aloud, where the tools of the language are missing.
    async fn find(guest: &'static str) -> Result<Option<Self>> {
        let folder = house::root().join("tests/guests").join(guest);
        if guests::foreign::Language::of(&folder).is_some() {
            let built = tokio::task::spawn_blocking(move || guests::foreign::build(&folder)).await??;
            if built.is_none() {
                return Ok(None);
            }
        }
        let ground = Ground::new()?;
        let worker = ground.worker(guest).await?;
        Ok(Some(Self { ground, worker }))
    }

    fn attempt(&self, args: &Value) -> Result<(Attempt, Arc<Memory>)> {
        self.ground.attempt(&args.to_string())
    }

    async fn run(&self, attempt: Attempt) -> Ended {
        self.ground.sandbox.run(&self.worker, attempt).await
    }

    /// One attempt, which completes.
    async fn complete(&self, args: &Value) -> Result<(Completion, Arc<Memory>)> {
        let (attempt, memory) = self.attempt(args)?;
        Ok((completed(self.run(attempt).await)?, memory))
    }

    /// One attempt, which fails.
    async fn fail(&self, args: &Value) -> Result<Failure> {
        match self.run(self.attempt(args)?.0).await.verdict {
            Verdict::Failed(failure) => Ok(failure),
            other => bail!("it did not fail: {other:?}"),
        }
    }
}

fn completed(ended: Ended) -> Result<Completion> {
    match ended.verdict {
        Verdict::Completed(completion) => Ok(completion),
        other => bail!("it did not complete: {other:?}"),
    }
}

fn output(completion: &Completion) -> Result<Value> {
    Ok(serde_json::from_str(completion.output.as_ref().context("no output")?.as_str())?)
}

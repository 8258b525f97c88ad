//! What a guest may call of ours: the interfaces of the worker contract. WASI is wasmtime's own.

use std::sync::Arc;
use std::time::Duration;

use super::bindings::flyball::worker::{
    barrier, checkpoint, children, cost, follow_ups, log, progress, stopping, types,
};
use super::checkpoint::Checkpoint;
use super::guest::Guest;
use super::watch::Hint;
use super::{FollowUpRequest, Refusal};
use crate::job::{ChildRecord, ErrorClass, JobState, LogLevel};

/// What a kept follow-up takes beside its texts.
const AROUND_A_JOB: usize = 512;

impl types::Host for Guest {}

impl log::Host for Guest {
    fn write(
        &mut self,
        level: log::Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.log.record(level, &message, &fields);
        Ok(())
    }
}

impl progress::Host for Guest {
    fn report(&mut self, fraction: f64, note: Option<String>) -> wasmtime::Result<()> {
        let now = self.watch.now();
        self.progress.report(fraction, note.as_deref(), now, &*self.ports);
        Ok(())
    }
}

impl stopping::Host for Guest {
    fn stopping(&mut self) -> wasmtime::Result<Option<stopping::Cause>> {
        Ok(self.watch.hint().map(|hint| match hint {
            Hint::Cancel => stopping::Cause::Cancel,
            Hint::Drain => stopping::Cause::Drain,
            Hint::Deadline => stopping::Cause::Deadline,
        }))
    }
}

impl follow_ups::Host for Guest {
    fn add(&mut self, wish: follow_ups::FollowUp) -> wasmtime::Result<Result<(), follow_ups::Refusal>> {
        let bytes = size(&wish);
        if let Err(too_many) = self.wishes.room_for(bytes) {
            return Ok(Err(follow_ups::Refusal::TooMany(too_many.to_string())));
        }
        match self.ports.follow_up(asked(wish)) {
            Ok(job) => {
                self.memory.keep(bytes)?;
                self.wishes.keep(job, bytes);
                Ok(Ok(()))
            }
            Err(refusal) => Ok(Err(self.refused(refusal))),
        }
    }
}

impl barrier::Host for Guest {
    fn set(&mut self, wish: follow_ups::FollowUp) -> wasmtime::Result<Result<(), follow_ups::Refusal>> {
        let bytes = size(&wish);
        if let Err(too_many) = self.wishes.room_for_barrier(bytes) {
            return Ok(Err(follow_ups::Refusal::TooMany(too_many.to_string())));
        }
        match self.ports.follow_up(asked(wish)) {
            Ok(job) => {
                self.memory.keep(self.wishes.set_barrier(job, bytes))?;
                Ok(Ok(()))
            }
            Err(refusal) => Ok(Err(self.refused(refusal))),
        }
    }
}

impl children::Host for Guest {
    async fn list(&mut self, offset: u32, limit: u32) -> wasmtime::Result<Vec<children::Child>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.reads.begin()?;
        let children = self.ports.children(offset, limit).await?;
        self.memory.keep(self.reads.charge(&children))?;
        Ok(children.into_iter().map(child).collect())
    }
}

impl checkpoint::Host for Guest {
    async fn load(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        let data = match self.checkpoint.known() {
            Some(data) => data,
            None => {
                let data = self.ports.checkpoint().await?;
                self.memory.keep(self.checkpoint.charge(data.as_ref().map_or(0, |data| data.len())))?;
                self.checkpoint.loaded(data.clone());
                data
            }
        };
        Ok(data.map(|data| data.to_vec()))
    }

    fn save(&mut self, data: Vec<u8>) -> wasmtime::Result<Result<(), String>> {
        if let Err(too_large) = Checkpoint::check(&data) {
            return Ok(Err(too_large.to_string()));
        }
        self.memory.keep(self.checkpoint.charge(data.len()))?;
        let data: Arc<[u8]> = data.into();
        self.ports.save_checkpoint(data.clone());
        self.checkpoint.saved(data);
        Ok(Ok(()))
    }
}

impl Guest {
    /// What the guest is told of a wish that was refused.
    fn refused(&mut self, refusal: Refusal) -> follow_ups::Refusal {
        self.wishes.refuse();
        match refusal {
            Refusal::NotGranted(why) => follow_ups::Refusal::NotGranted(why),
            Refusal::TooMany(why) => follow_ups::Refusal::TooMany(why),
            Refusal::Invalid(why) => follow_ups::Refusal::Invalid(why),
        }
    }
}

impl cost::Host for Guest {
    fn add(&mut self, micros: u64) -> wasmtime::Result<()> {
        // No database holds more in a column.
        let most = i64::MAX.unsigned_abs();
        self.cost_micros = self.cost_micros.saturating_add(micros).min(most);
        Ok(())
    }
}

fn asked(wish: follow_ups::FollowUp) -> FollowUpRequest {
    FollowUpRequest {
        kind: wish.kind,
        args: wish.args,
        queue: wish.queue,
        priority: wish.priority,
        delay: wish.delay_ms.map(Duration::from_millis),
        unique_key: wish.unique_key,
        unique_active_key: wish.unique_active_key,
        max_attempts: wish.max_attempts,
        executor_class: wish.executor_class,
        tags: wish.tags,
    }
}

fn child(child: ChildRecord) -> children::Child {
    let ChildRecord { id, kind, state, attempt, output, error_class, error_message } = child;
    children::Child {
        id: id.to_string(),
        kind: kind.to_string(),
        state: match state {
            JobState::Succeeded => children::ChildState::Succeeded,
            JobState::Cancelled => children::ChildState::Cancelled,
            JobState::Discarded => children::ChildState::Discarded,
            JobState::Available
            | JobState::Scheduled
            | JobState::Running
            | JobState::Retryable
            | JobState::Paused => children::ChildState::Unfinished,
        },
        attempts: attempt,
        output: output.map(|output| output.to_string()),
        error_class: error_class.map(|class| match class {
            ErrorClass::Transient => types::ErrorClass::Transient,
            ErrorClass::Permanent => types::ErrorClass::Permanent,
            ErrorClass::Validation => types::ErrorClass::Validation,
            ErrorClass::Timeout => types::ErrorClass::Timeout,
            ErrorClass::Resource => types::ErrorClass::Resource,
        }),
        error_message,
    }
}

fn size(wish: &follow_ups::FollowUp) -> usize {
    let optional = [&wish.queue, &wish.unique_key, &wish.unique_active_key, &wish.executor_class];
    let texts = optional.into_iter().flatten().chain(&wish.tags).chain([&wish.kind, &wish.args]);
    texts.map(String::len).sum::<usize>().saturating_add(AROUND_A_JOB)
}

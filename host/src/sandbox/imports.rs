//! What a guest may call of ours: the interfaces of the worker contract. WASI is wasmtime's own.

use std::time::Duration;

use super::bindings::flyball::worker::{cost, follow_ups, log, progress, stopping, types};
use super::guest::Guest;
use super::watch::Hint;
use super::{FollowUpRequest, Refusal};
use crate::job::LogLevel;

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
        let refusal = match self.ports.follow_up(asked(wish)) {
            Ok(job) => {
                self.memory.keep(bytes)?;
                self.wishes.keep(job, bytes);
                return Ok(Ok(()));
            }
            Err(Refusal::NotGranted(why)) => follow_ups::Refusal::NotGranted(why),
            Err(Refusal::TooMany(why)) => follow_ups::Refusal::TooMany(why),
            Err(Refusal::Invalid(why)) => follow_ups::Refusal::Invalid(why),
        };
        self.wishes.refuse();
        Ok(Err(refusal))
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

fn size(wish: &follow_ups::FollowUp) -> usize {
    let optional = [&wish.queue, &wish.unique_key, &wish.unique_active_key, &wish.executor_class];
    let texts = optional.into_iter().flatten().chain(&wish.tags).chain([&wish.kind, &wish.args]);
    texts.map(String::len).sum::<usize>().saturating_add(AROUND_A_JOB)
}

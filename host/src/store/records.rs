//! Rows that are read back whole, as the records of `job/` and of this room.

use super::value::Row;
use super::{ActionRecord, FailureRecord, KindRecord, LaneCount, NodeRecord, Result, StoreError, Waiting};
use crate::job::{
    ChildRecord, Claim, ExecutorClass, JobRecord, JobState, Kind, Lineage, LogRecord, Queue, RunRecord,
    Settlement, Slug, Tag,
};
use crate::timing::ScheduleRecord;

pub(super) fn job(mut row: Row) -> Result<JobRecord> {
    let row = &mut row;
    Ok(JobRecord {
        id: row.id("id")?,
        kind: row.name("kind", Kind::stored)?,
        queue: row.name("queue", Queue::stored)?,
        args: row.json("args")?,
        priority: row.int("priority")?,
        state: row.word("state")?,
        attempt: row.int("attempt")?,
        failures: row.int("failures")?,
        crashes: row.int("crashes")?,
        releases: row.int("releases")?,
        snoozes: row.int("snoozes")?,
        last_chance: row.flag("last_chance")?,
        max_attempts: row.opt_int("max_attempts")?,
        timeout_ms: row.opt_int("timeout_ms")?,
        fuel: row.opt_int("fuel")?,
        backoff_base_ms: row.opt_int("backoff_base_ms")?,
        backoff_cap_ms: row.opt_int("backoff_cap_ms")?,
        created_at: row.time("created_at")?,
        scheduled_at: row.time("scheduled_at")?,
        finalized_at: row.opt_time("finalized_at")?,
        node_id: row.opt_id("node_id")?,
        lease_token: row.opt_id("lease_token")?,
        deadline_at: row.opt_time("deadline_at")?,
        cancel_requested_at: row.opt_time("cancel_requested_at")?,
        unique_key: row.opt_text("unique_key")?,
        unique_active_key: row.opt_text("unique_active_key")?,
        parent_id: row.opt_id("parent_id")?,
        parent_run_id: row.opt_id("parent_run_id")?,
        root_id: row.opt_id("root_id")?,
        depth: row.int("depth")?,
        awaited: row.flag("awaited")?,
        continues_run_id: row.opt_id("continues_run_id")?,
        executor_class: row.name("executor_class", ExecutorClass::stored)?,
        blocked_by: row.opt_text("blocked_by")?,
        limit_key: row.opt_text("limit_key")?,
        schedule_slug: row.opt_text("schedule_slug")?,
        tags: row.names("tags", Tag::stored)?,
        metadata: row.json("metadata")?,
        on_discard: row.opt_json("on_discard")?,
    })
}

/// A job that was claimed.
#[derive(Debug)]
pub(super) enum Taken {
    /// It can be run.
    Claim(Claim),
    /// Another program wrote what can't be read: it is to be settled as failed.
    Unreadable(Settlement),
}

/// A claim, if the row has one.
pub(super) fn claim(mut row: Row) -> Result<Option<Taken>> {
    let row = &mut row;
    let Some(job) = row.opt_id("id")? else { return Ok(None) };
    let run = row.id("lease_token")?;
    let (kind, queue) = (row.name("kind", Kind::stored)?, row.name("queue", Queue::stored)?);
    let tries = row.tries();
    let counted = tries.as_ref().ok().copied().unwrap_or_default();
    let (own_kind, own_queue) = (kind.clone(), queue.clone());
    let claim = tries.and_then(|tries| {
        Ok(Claim {
            run,
            job,
            kind,
            queue,
            executor_class: row.name("executor_class", ExecutorClass::stored)?,
            args: row.sound_json("args")?,
            priority: row.int("priority")?,
            tries,
            last_chance: row.flag("last_chance")?,
            on_discard: row.flag("on_discard")?,
            limited: row.flag("limited")?,
            checkpoint: row.flag("checkpoint")?,
            overrides: row.overrides()?,
            lineage: Lineage {
                parent: row.opt_id("parent_id")?,
                parent_run: row.opt_id("parent_run_id")?,
                root: row.opt_id("root_id")?,
                depth: row.int("depth")?,
                awaited: row.flag("awaited")?,
                continues: row.opt_id("continues_run_id")?,
            },
            created_at: row.time("created_at")?,
            scheduled_at: row.time("scheduled_at")?,
            deadline_at: row.time("deadline_at")?,
            tags: row.names("tags", Tag::stored)?,
            metadata: row.sound_json("metadata")?,
        })
    });
    Ok(Some(claim.map_or_else(
        |error| {
            let why = format!("the job could not be read: {error}");
            Taken::Unreadable(Settlement::unreadable(run, job, own_kind, own_queue, counted, &why))
        },
        Taken::Claim,
    )))
}

/// One of many rows, or a warning: what can't be read costs nothing but itself.
pub(super) fn readable<T>(read: Result<T>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "a row can't be read, and is left out")).ok()
}

pub(super) fn run(mut row: Row) -> Result<RunRecord> {
    let row = &mut row;
    Ok(RunRecord {
        id: row.id("id")?,
        job_id: row.id("job_id")?,
        attempt: row.int("attempt")?,
        node_id: row.id("node_id")?,
        executor_class: row.name("executor_class", ExecutorClass::stored)?,
        component_digest: row.opt_text("component_digest")?,
        started_at: row.time("started_at")?,
        finished_at: row.opt_time("finished_at")?,
        outcome: row.word("outcome")?,
        settled_by: row.opt_word("settled_by")?,
        late_outcome: row.opt_word("late_outcome")?,
        late_at: row.opt_time("late_at")?,
        error_class: row.opt_word("error_class")?,
        error_message: row.opt_text("error_message")?,
        error_detail: row.opt_text("error_detail")?,
        output: row.opt_json("output")?,
        duration_ms: row.opt_int("duration_ms")?,
        cost_micros: row.opt_int("cost_micros")?,
        enqueued_children: row.int("enqueued_children")?,
        progress: row.opt_json("progress")?,
        fuel_used: row.opt_int("fuel_used")?,
        cpu_us: row.opt_int("cpu_us")?,
        peak_memory_bytes: row.opt_int("peak_memory_bytes")?,
        http_requests: row.opt_int("http_requests")?,
        http_bytes: row.opt_int("http_bytes")?,
        log_bytes: row.opt_int("log_bytes")?,
        log_dropped: row.opt_int("log_dropped")?,
    })
}

pub(super) fn child(mut row: Row) -> Result<ChildRecord> {
    let row = &mut row;
    Ok(ChildRecord {
        id: row.id("id")?,
        kind: row.name("kind", Kind::stored)?,
        state: row.word("state")?,
        attempt: row.int("attempt")?,
        output: row.opt_json("output")?,
        error_class: row.opt_word("error_class")?,
        error_message: row.opt_text("error_message")?,
    })
}

pub(super) fn log(mut row: Row) -> Result<LogRecord> {
    Ok(LogRecord {
        seq: row.int("seq")?,
        at: row.time("at")?,
        level: row.word("level")?,
        message: row.text("message")?,
        fields: row.opt_json("fields")?,
    })
}

pub(super) fn node(mut row: Row) -> Result<NodeRecord> {
    let row = &mut row;
    Ok(NodeRecord {
        id: row.id("id")?,
        name: row.text("name")?,
        pid: row.int("pid")?,
        version: row.text("version")?,
        started_at: row.time("started_at")?,
        expires_at: row.opt_time("expires_at")?,
        steady_since: row.opt_time("steady_since")?,
        lost_at: row.opt_time("lost_at")?,
        left_at: row.opt_time("left_at")?,
        serves: row.json("serves")?,
        kinds: row.json("kinds")?,
        retention: row.opt_json("retention")?,
        concurrency: row.int("concurrency")?,
        in_flight: row.int("in_flight")?,
    })
}

pub(super) fn failure(mut row: Row) -> Result<FailureRecord> {
    let row = &mut row;
    Ok(FailureRecord {
        job_id: row.id("job_id")?,
        kind: row.name("kind", Kind::stored)?,
        queue: row.name("queue", Queue::stored)?,
        state: row.word("state")?,
        run_id: row.id("run_id")?,
        attempt: row.int("attempt")?,
        outcome: row.word("outcome")?,
        error_class: row.opt_word("error_class")?,
        error_message: row.opt_text("error_message")?,
        finished_at: row.time("finished_at")?,
    })
}

pub(super) fn action(mut row: Row) -> Result<ActionRecord> {
    let row = &mut row;
    Ok(ActionRecord {
        action_id: row.id("action_id")?,
        who: row.text("who")?,
        at: row.time("at")?,
        last_at: row.time("last_at")?,
        what: row.text("what")?,
        about: row.opt_json("about")?,
        batches: row.int("batches")?,
        jobs_changed: row.int("jobs_changed")?,
        jobs_left: row.int("jobs_left")?,
    })
}

/// A state by its word.
pub(super) fn state(word: &str) -> Result<JobState> {
    word.parse().map_err(|_| StoreError::Unreadable { what: "state", found: word.to_owned() })
}

pub(super) fn kind(mut row: Row) -> Result<KindRecord> {
    Ok(KindRecord {
        kind: row.name("kind", Kind::stored)?,
        summary: row.text("summary")?,
        args_schema: row.opt_json("args_schema")?,
        defaults: row.json("defaults")?,
        paused: row.flag("paused")?,
        published_at: row.opt_time("published_at")?,
    })
}

pub(super) fn lane(mut row: Row) -> Result<LaneCount> {
    Ok(LaneCount {
        queue: row.name("queue", Queue::stored)?,
        kind: row.name("kind", Kind::stored)?,
        executor_class: row.name("executor_class", ExecutorClass::stored)?,
        available: row.int("available")?,
        oldest_due: row.time("oldest_due")?,
    })
}

pub(super) fn waiting(mut row: Row) -> Result<Waiting> {
    Ok(Waiting {
        queue: row.name("queue", Queue::stored)?,
        kind: row.name("kind", Kind::stored)?,
        executor_class: row.name("executor_class", ExecutorClass::stored)?,
    })
}

pub(super) fn schedule(row: &mut Row) -> Result<ScheduleRecord> {
    Ok(ScheduleRecord {
        slug: row.name("slug", Slug::stored)?,
        kind: row.name("kind", Kind::stored)?,
        args: row.json("args")?,
        queue: row.name("queue", Queue::stored)?,
        priority: row.int("priority")?,
        executor_class: row.name("executor_class", ExecutorClass::stored)?,
        max_attempts: row.opt_int("max_attempts")?,
        timeout_ms: row.opt_int("timeout_ms")?,
        fuel: row.opt_int("fuel")?,
        backoff_base_ms: row.opt_int("backoff_base_ms")?,
        backoff_cap_ms: row.opt_int("backoff_cap_ms")?,
        tags: row.names("tags", Tag::stored)?,
        metadata: row.json("metadata")?,
        cron: row.opt_text("cron")?,
        every_ms: row.opt_int("every_ms")?,
        timezone: row.text("timezone")?,
        backfill_cap: row.int("backfill_cap")?,
        overlap: row.word("overlap")?,
        active: row.flag("active")?,
        disabled_by: row.opt_word("disabled_by")?,
        origin: row.word("origin")?,
        next_at: row.opt_time("next_at")?,
        last_job_id: row.opt_id("last_job_id")?,
        last_enqueued_at: row.opt_time("last_enqueued_at")?,
        last_error: row.opt_text("last_error")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

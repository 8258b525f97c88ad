//! Does what its args say, in the order of the fields of [`Orders`], and tells what it was given.
//! Args that are no object order nothing. The worker that behaves, for tests of everything else.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, RandomState};
use std::thread::sleep;
use std::time::{Duration, Instant};

use flyball_worker::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use flyball_worker::serde_json::{Value, json};
use flyball_worker::{
    Cause, Child, ChildState, Classify, ErrorClass, Failure, Job, Outcome, Result, checkpoint, children,
    cost, follow_up, log, progress, serde_json, set_barrier, stopping, worker,
};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Orders {
    /// Logs this at info, with the fields `attempt` and `length`.
    log: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    /// Reports this fraction, with the note `echo`.
    progress: Option<f64>,
    cost: Option<u64>,
    sleep_ms: u64,
    spin_ms: u64,
    /// Works on until the host wants it to stop, looking every five milliseconds.
    until_stopped: bool,
    /// Completes with numbers drawn by chance instead of the echo.
    draw: bool,
    follow_ups: Vec<Wanted>,
    /// What is enqueued when these have ended.
    barrier: Option<Wanted>,
    /// Loads a number from the checkpoint (0 if there is none), saves the next one, and tells which it loaded.
    count_on: bool,
    /// Tells of the jobs that this one continues.
    children: bool,
    /// Goes on when a follow-up is refused, and tells of it in the output.
    despite_refusals: bool,
    panic: Option<String>,
    fail: Option<Wrong>,
    snooze_ms: Option<u64>,
    cancel: Option<String>,
    /// Completes with this instead of the echo.
    output: Option<Value>,
}

#[derive(Deserialize)]
struct Wanted {
    kind: String,
    #[serde(default)]
    args: Value,
    queue: Option<String>,
    priority: Option<u16>,
    delay_ms: Option<u64>,
    unique_key: Option<String>,
    unique_active_key: Option<String>,
    max_attempts: Option<u32>,
    executor_class: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Asks so many times.
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

#[derive(Deserialize)]
struct Wrong {
    /// `transient`, `permanent`, `validation`, `timeout` or `resource`.
    #[serde(default)]
    class: String,
    #[serde(default)]
    message: String,
    detail: Option<String>,
    retry_after_ms: Option<u64>,
    /// Fails only while the job has fewer failures than this. Left out: always.
    times: Option<u32>,
}

/// Any JSON; as an object it is [`Orders`].
#[derive(Deserialize)]
#[serde(transparent)]
struct Args(Value);

impl JsonSchema for Args {
    fn schema_name() -> Cow<'static, str> {
        "Args".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"properties": {"snooze_ms": {"type": ["integer", "null"], "minimum": 0}}})
    }
}

fn run(Args(args): Args, job: &Job) -> Result<Outcome<Value>> {
    let orders = match &args {
        Value::Object(_) => Orders::deserialize(&args).invalid()?,
        _ => Orders::default(),
    };
    speak(&orders, job);
    let counted = if orders.count_on { Some(count_on()?) } else { None };
    let stopped = pass_time(&orders);
    if orders.draw {
        return Ok(Outcome::Complete(draw()));
    }
    let refusals = ask(&orders)?;
    let family: Option<Vec<Value>> =
        orders.children.then(|| children().map(|child| told_of(&child)).collect());
    if let Some(message) = &orders.panic {
        panic!("{message}");
    }
    if let Some(wrong) = orders.fail.filter(|wrong| wrong.times.is_none_or(|n| job.failures < n)) {
        return Err(failure(wrong)?);
    }
    if let Some(delay) = orders.snooze_ms {
        return Ok(Outcome::Snooze(Duration::from_millis(delay)));
    }
    if let Some(reason) = orders.cancel {
        return Ok(Outcome::Cancel(reason));
    }
    let echo = || {
        json!({
            "args": args,
            "job": told(job),
            "stopped": stopped.map(word),
            "refusals": refusals,
            "counted": counted,
            "children": family,
        })
    };
    Ok(Outcome::Complete(orders.output.unwrap_or_else(echo)))
}

fn speak(orders: &Orders, job: &Job) {
    if let Some(text) = &orders.log {
        log::info!(attempt = job.attempt, length = text.len(), "{text}");
    }
    if let Some(text) = &orders.stdout {
        println!("{text}");
    }
    if let Some(text) = &orders.stderr {
        eprintln!("{text}");
    }
    if let Some(fraction) = orders.progress {
        progress(fraction, "echo");
    }
    if let Some(micros) = orders.cost {
        cost(micros);
    }
}

#[expect(clippy::disallowed_methods, reason = "a guest has no clock but this one")]
fn pass_time(orders: &Orders) -> Option<Cause> {
    if orders.sleep_ms > 0 {
        sleep(Duration::from_millis(orders.sleep_ms));
    }
    let spin = Duration::from_millis(orders.spin_ms);
    let from = Instant::now();
    while from.elapsed() < spin {
        std::hint::black_box((0..1000).fold(0u32, |sum, n| sum.wrapping_mul(31) ^ n));
    }
    // A worker has nothing to wait for here: it looks now and then, as one at work would, without taking the core.
    while orders.until_stopped && stopping().is_none() {
        sleep(Duration::from_millis(5));
    }
    stopping()
}

/// The standard library has one source of chance: what keys a hash map.
fn draw() -> Value {
    json!([0, 1].map(|_| RandomState::new().hash_one(0).to_string()))
}

fn ask(orders: &Orders) -> Result<Vec<String>> {
    let mut refusals = Vec::new();
    for wanted in &orders.follow_ups {
        for _ in 0..wanted.times {
            match follow_up_of(wanted)?.add() {
                Ok(()) => {}
                Err(refusal) if orders.despite_refusals => refusals.push(refusal.to_string()),
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }
    if let Some(wanted) = &orders.barrier {
        set_barrier(follow_up_of(wanted)?)?;
    }
    Ok(refusals)
}

fn count_on() -> Result<u64> {
    let counted = checkpoint::load()?.unwrap_or(0);
    checkpoint::save(&(counted + 1))?;
    Ok(counted)
}

fn told_of(child: &Child) -> Value {
    let state = match child.state() {
        ChildState::Succeeded => "succeeded",
        ChildState::Cancelled => "cancelled",
        ChildState::Discarded => "discarded",
        ChildState::Unfinished => "unfinished",
    };
    json!({
        "id": child.id(),
        "kind": child.kind(),
        "state": state,
        "attempts": child.attempts(),
        "output": child.output::<Value>().ok(),
        "error": child.error().map(|(_, message)| message),
    })
}

fn follow_up_of(wanted: &Wanted) -> Result<flyball_worker::FollowUp> {
    let mut job = follow_up(&wanted.kind).args(&wanted.args)?;
    if let Some(queue) = &wanted.queue {
        job = job.queue(queue);
    }
    if let Some(priority) = wanted.priority {
        job = job.priority(priority);
    }
    if let Some(delay) = wanted.delay_ms {
        job = job.delay(Duration::from_millis(delay));
    }
    if let Some(key) = &wanted.unique_key {
        job = job.unique_key(key);
    }
    if let Some(key) = &wanted.unique_active_key {
        job = job.unique_active_key(key);
    }
    if let Some(attempts) = wanted.max_attempts {
        job = job.max_attempts(attempts);
    }
    if let Some(class) = &wanted.executor_class {
        job = job.executor_class(class);
    }
    Ok(wanted.tags.iter().fold(job, |job, tag| job.tag(tag)))
}

fn failure(wrong: Wrong) -> Result<Failure> {
    let class = match wrong.class.as_str() {
        "" | "transient" => ErrorClass::Transient,
        "permanent" => ErrorClass::Permanent,
        "validation" => ErrorClass::Validation,
        "timeout" => ErrorClass::Timeout,
        "resource" => ErrorClass::Resource,
        other => return Err(Failure::invalid(format!("there is no error class {other}"))),
    };
    let mut failure = Failure::new(class, wrong.message);
    if let Some(detail) = wrong.detail {
        failure = failure.detail(detail);
    }
    if let Some(delay) = wrong.retry_after_ms {
        failure = failure.retry_after(Duration::from_millis(delay));
    }
    Ok(failure)
}

/// All that the worker was told of its job, but the args.
fn told(job: &Job) -> Value {
    json!({
        "id": job.id,
        "run_id": job.run_id,
        "kind": job.kind,
        "queue": job.queue,
        "attempt": job.attempt,
        "failures": job.failures,
        "max_attempts": job.max_attempts,
        "parent_id": job.parent_id,
        "created_at": job.created_at,
        "scheduled_at": job.scheduled_at,
        "deadline": job.deadline,
        "tags": job.tags,
        "request_id": job.request_id,
        "traceparent": job.traceparent,
        "metadata": serde_json::from_str::<Value>(&job.metadata).ok(),
    })
}

fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::Cancel => "cancel",
        Cause::Drain => "drain",
        Cause::Deadline => "deadline",
    }
}

worker! {
    run,
    summary: "Does what its args say, and tells what it was given",
    // What the host would decide without it, so that it changes nothing for the tests.
    timeout: "60s",
    fuel: "20G",
    memory: "128MiB",
    max_attempts: 25,
    backoff_base: "1s",
    backoff_cap: "1m",
    needs: &["enqueue:report"],
}

//! What the end of a guest means: from a trap, a limit or a returned value to a verdict.
//!
//! Limits are told apart by what the host noted when it enforced them. Two limits leave no mark but a text of
//! wasmtime's own, see [`is_known_limit`].

use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::FieldMapError;

use super::backtrace;
use super::bindings::flyball::worker::types;
use super::call::Unreturned;
use super::children::TooManyReads;
use super::guest::Guest;
use super::log::harmless;
use super::watch::Cut;
use super::{StopCause, Unread};
use crate::job::{Budget, Completion, ErrorClass, Failure, Json, MAX_MESSAGE_BYTES, Release, Verdict, cut};

/// The verdict of a guest that returned.
pub(super) fn returned(
    answer: Result<types::Outcome, types::Failure>,
    guest: &mut Guest,
    budget: &Budget,
) -> Verdict {
    match answer {
        Ok(types::Outcome::Complete(None)) => completed(None, guest),
        Ok(types::Outcome::Complete(Some(text))) => {
            match Json::parse_from_worker(&text, budget.output_bytes) {
                Ok(output) => completed(Some(output), guest),
                Err(error) => {
                    failed(ErrorClass::Permanent, &format!("the worker's output can't be kept: {error}"))
                }
            }
        }
        Ok(types::Outcome::Snooze(millis)) => Verdict::Snoozed { delay: Duration::from_millis(millis) },
        Ok(types::Outcome::Cancel(reason)) => {
            Verdict::Cancelled { reason: harmless(&one_line(&reason), MAX_MESSAGE_BYTES) }
        }
        Err(failure) => Verdict::Failed(returned_failure(&failure)),
    }
}

fn completed(output: Option<Json>, guest: &mut Guest) -> Verdict {
    let (follow_ups, barrier) = (guest.wishes.take(), guest.wishes.take_barrier().map(Box::new));
    Verdict::Completed(Completion { output, cost_micros: guest.cost_micros, follow_ups, barrier })
}

fn returned_failure(failure: &types::Failure) -> Failure {
    let class = match failure.class {
        types::ErrorClass::Transient => ErrorClass::Transient,
        types::ErrorClass::Permanent => ErrorClass::Permanent,
        types::ErrorClass::Validation => ErrorClass::Validation,
        types::ErrorClass::Timeout => ErrorClass::Timeout,
        types::ErrorClass::Resource => ErrorClass::Resource,
    };
    let mut made = Failure::new(class, &one_line(&failure.message));
    if let Some(detail) = &failure.detail {
        made = made.with_detail(detail);
    }
    if let Some(millis) = failure.retry_after_ms {
        made = made.retry_after(Duration::from_millis(millis));
    }
    made
}

/// A message stands in logs and tables as one line.
fn one_line(message: &str) -> String {
    cut(message, MAX_MESSAGE_BYTES).replace(['\n', '\t'], " ")
}

/// The verdict of a guest that did not return. `last_words` is the end of its stderr.
pub(super) fn unreturned(end: Unreturned, guest: &Guest, budget: &Budget, last_words: &str) -> Verdict {
    match end {
        Unreturned::Cut(cut) => cut_short(cut, budget),
        Unreturned::HostFault(why) => {
            tracing::error!(panic = %why, "a host function panicked; its attempt is ended");
            failed(ErrorClass::Transient, &format!("a fault of the host ended the attempt: {why}"))
        }
        Unreturned::Failed(error) => match guest.over() {
            Some(cut) => cut_short(cut, budget),
            None if guest.node_full().is_some() => Verdict::Released(Release::Memory),
            None => match guest.memory.limit_spent() {
                Some(spent) => failed(ErrorClass::Resource, &spent.to_string()),
                None => broken(&error, budget, last_words),
            },
        },
    }
}

fn cut_short(cut: Cut, budget: &Budget) -> Verdict {
    match cut {
        Cut::Deadline => {
            failed(ErrorClass::Timeout, &format!("the attempt ran longer than its {:?}", budget.timeout))
        }
        Cut::Stopped(StopCause::Cancel) => Verdict::Stopped,
        Cut::Stopped(StopCause::Drain) => Verdict::Released(Release::Drain),
        Cut::Stopped(StopCause::LeaseLost) => Verdict::Released(Release::LeaseLost),
    }
}

fn broken(error: &wasmtime::Error, budget: &Budget, last_words: &str) -> Verdict {
    if error.is::<PoolConcurrencyLimitError>() {
        return Verdict::Released(Release::Pool);
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return Verdict::Failed(trapped(*trap, error, budget, last_words));
    }
    if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
        let message = format!("the worker exited with code {code} instead of returning");
        return Verdict::Failed(explained(Failure::new(ErrorClass::Transient, &message), None, last_words));
    }
    if let Some(Unread(why)) = error.downcast_ref::<Unread>() {
        return failed(ErrorClass::Transient, why);
    }
    if let Some(too_many) = error.downcast_ref::<TooManyReads>() {
        return failed(ErrorClass::Resource, &too_many.to_string());
    }
    if error.is::<std::io::Error>() {
        tracing::warn!(error = %format_args!("{error:#}"), "the machine could not give a guest its memory");
        return Verdict::Released(Release::Memory);
    }
    // With frames of the guest it was in the middle of a call; without, its values did not cross.
    let frames = error.downcast_ref::<WasmBacktrace>();
    let full = matches!(error.downcast_ref(), Some(ResourceTableError::Full))
        || matches!(
            error.downcast_ref(),
            Some(FieldMapError::TotalSizeTooBig | FieldMapError::TooManyFields)
        )
        || is_known_limit(error);
    let (class, what) = match frames {
        _ if full => (ErrorClass::Resource, "the worker took more than it may"),
        Some(_) => (ErrorClass::Transient, "the worker broke the contract in a call"),
        None => (ErrorClass::Permanent, "what the worker returned can't be read"),
    };
    let failure = Failure::new(class, &format!("{what}: {}", error.root_cause()));
    Verdict::Failed(explained(failure, frames, last_words))
}

fn trapped(trap: Trap, error: &wasmtime::Error, budget: &Budget, last_words: &str) -> Failure {
    let failure = match trap {
        Trap::OutOfFuel => {
            return Failure::fuel_spent(&format!("the attempt spent its fuel of {}", budget.fuel));
        }
        Trap::StackOverflow => {
            Failure::new(ErrorClass::Resource, "the call stack overflowed: a recursion without end?")
        }
        Trap::MemoryOutOfBounds => Failure::new(
            ErrorClass::Resource,
            "an address outside of its memory was touched: Rust and C overflow their stack like this",
        ),
        trap => {
            let what = trap.to_string();
            let what = what.trim_start_matches("wasm trap: ");
            Failure::new(ErrorClass::Transient, &format!("the worker trapped: {what}"))
        }
    };
    explained(failure, error.downcast_ref(), last_words)
}

/// What a human reads beside the message: the guest's last words, and where it was.
fn explained(failure: Failure, frames: Option<&WasmBacktrace>, last_words: &str) -> Failure {
    let place = frames.map(backtrace::place).unwrap_or_default();
    let parts = [last_words.trim(), place.trim()];
    let detail = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    if detail.is_empty() { failure } else { failure.with_detail(&detail) }
}

fn failed(class: ErrorClass, message: &str) -> Verdict {
    Verdict::Failed(Failure::new(class, message))
}

/// Two limits of wasmtime leave neither a type that we could name nor a mark that we could set: what may cross in one
/// call, and the handles of a store. Their texts hold nothing of the guest, so they can't be forged, and must match
/// whole. Should wasmtime reword them, the class becomes `transient` or `permanent`, and the test of the hostile
/// guests says so.
fn is_known_limit(error: &wasmtime::Error) -> bool {
    const TEXTS: [&str; 3] = [
        "too much data is being copied between the host and the guest: fuel allocated for hostcalls has been exhausted",
        "cannot allocate another handle: store handle limit exceeded",
        "cannot lend resource: store handle limit exceeded",
    ];
    let root = error.root_cause().to_string();
    TEXTS.contains(&root.as_str())
}

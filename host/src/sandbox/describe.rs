//! Having a worker describe itself: with no grants, a small budget, and nothing believed that it says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::bindings::{self, WorkerPre};
use super::call::drive;
use super::guest::Guest;
use super::link::Linked;
use super::log::{SharedLog, harmless};
use super::watch::Watch;
use super::{
    Defaults, Description, FollowUpRequest, LoadError, Ports, Refusal, Sandboxes, Stop, Unread, ending,
    share_of,
};
use crate::job::{Backoff, Budget, ChildRecord, Failure, Json, LogRecord, NewJob, Verdict};

const MAX_SUMMARY: usize = 1 << 10;
const MAX_SCHEMA: usize = 256 << 10;
const MAX_NEEDS: usize = 256;
const MAX_NEED: usize = 1 << 10;

/// What became known of a worker when it was started for the first time.
pub(super) struct Described {
    /// What it says.
    pub(super) description: Description,
    /// Bytes that its memories and tables had before it was asked anything.
    pub(super) initial_memory: u64,
}

/// Starts a worker and asks what it is.
pub(super) async fn describe(sandboxes: &Sandboxes, linked: &Linked) -> Result<Described, LoadError> {
    let budget = budget(linked.initial_memory, sandboxes.config.guest_memory);
    let (said, initial_memory) =
        ask(sandboxes, &linked.pre, &budget).await.map_err(|verdict| match verdict {
            Verdict::Failed(failure) => LoadError::Refused(unasked(&failure)),
            Verdict::Released(_) | Verdict::Stopped => {
                LoadError::NoRoom("the node had no room to try it; it is tried again".into())
            }
            // A guest that returned is not asked for a verdict.
            Verdict::Completed(_) | Verdict::Snoozed { .. } | Verdict::Cancelled { .. } => {
                LoadError::Refused("it did not describe itself".into())
            }
        })?;
    let description = checked(said)
        .map_err(|what| LoadError::Refused(format!("what it says about itself is not valid: {what}")))?;
    Ok(Described { description, initial_memory })
}

/// Room for what the worker begins with and some more, but never more than any attempt of this node may have: beyond
/// that it would only be told that the node is full, again and again.
fn budget(initial_memory: u64, guest_memory: u64) -> Budget {
    Budget {
        timeout: Duration::from_secs(10),
        fuel: 10_000_000_000,
        memory_bytes: initial_memory.saturating_add(64 << 20).max(128 << 20).min(share_of(guest_memory)),
        output_bytes: 1 << 20,
    }
}

async fn ask(
    sandboxes: &Sandboxes,
    pre: &WorkerPre<Guest>,
    budget: &Budget,
) -> Result<(bindings::Description, u64), Verdict> {
    let ports: Arc<dyn Ports> = Arc::new(NoPorts);
    let clock = sandboxes.clock.clone();
    let watch =
        Watch::begin(clock.clone(), Stop::new(clock.clone()), ports.clone(), budget.timeout, Duration::ZERO);
    let log = SharedLog::new(sandboxes.config.log, clock, ports.clone());
    let guest = Guest::new(sandboxes, watch.clone(), ports, log, budget.memory_bytes);
    let mut store = guest.into_store(sandboxes, budget);
    let said = drive(&watch, async {
        let instance = pre.instantiate_async(&mut store).await?;
        let initial_memory = store.data().memory.peak();
        Ok((instance.call_describe(&mut store).await?, initial_memory))
    })
    .await;
    let guest = store.into_data();
    said.map_err(|end| ending::unreturned(end, &guest, budget, &guest.log.last_words()))
}

fn unasked(failure: &Failure) -> String {
    let detail = failure.detail().map(|detail| format!("\n{detail}")).unwrap_or_default();
    format!("it was started and asked to describe itself, and failed: {}{detail}", failure.message())
}

fn checked(said: bindings::Description) -> Result<Description, String> {
    if said.needs.len() > MAX_NEEDS {
        return Err(format!("{} needs; {MAX_NEEDS} are allowed", said.needs.len()));
    }
    let schema = said.args_schema.map(|text| Json::parse(&text, MAX_SCHEMA)).transpose();
    Ok(Description {
        summary: harmless(&said.summary, MAX_SUMMARY),
        args_schema: schema.map_err(|error| format!("the schema of its args: {error}"))?,
        defaults: checked_defaults(&said.defaults)?,
        needs: said.needs.iter().map(|need| harmless(need, MAX_NEED)).collect(),
    })
}

fn checked_defaults(said: &bindings::flyball::worker::types::Defaults) -> Result<Defaults, String> {
    let numbers = [
        (said.timeout_ms, "time-out"),
        (said.fuel, "fuel"),
        (said.memory_bytes, "memory"),
        (said.max_attempts.map(u64::from), "number of attempts"),
    ];
    if let Some((_, what)) = numbers.iter().find(|(number, _)| *number == Some(0)) {
        return Err(format!("a {what} of 0"));
    }
    Ok(Defaults {
        timeout: said.timeout_ms.map(Duration::from_millis),
        fuel: said.fuel,
        memory_bytes: said.memory_bytes,
        max_attempts: said.max_attempts,
        backoff: backoff(said.backoff_base_ms, said.backoff_cap_ms),
    })
}

fn backoff(base_ms: Option<u64>, cap_ms: Option<u64>) -> Option<Backoff> {
    let host = Backoff::default();
    let (base, cap) = match (base_ms.map(Duration::from_millis), cap_ms.map(Duration::from_millis)) {
        (None, None) => return None,
        (Some(base), None) => (base, host.cap.max(base)),
        (None, Some(cap)) => (host.base.min(cap), cap),
        (Some(base), Some(cap)) => (base.min(cap), cap),
    };
    Some(Backoff { base, cap })
}

/// The ways out of a worker that only describes itself: none.
pub(super) struct NoPorts;

#[async_trait]
impl Ports for NoPorts {
    fn holds_lease(&self) -> bool {
        true
    }

    fn follow_up(&self, _: FollowUpRequest) -> Result<NewJob, Refusal> {
        Err(Refusal::NotGranted("a worker that describes itself can't ask for jobs".into()))
    }

    fn progress(&self, _: f64, _: Option<&str>) {}

    fn save_checkpoint(&self, _: Arc<[u8]>) {}

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(None)
    }

    async fn children(&self, _: u32, _: u32) -> Result<Vec<ChildRecord>, Unread> {
        Ok(Vec::new())
    }

    fn log(&self, _: &LogRecord) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_describes_itself_is_never_given_more_than_an_attempt_of_its_node() {
        const MIB: u64 = 1 << 20;
        let cases = [
            (MIB, 4096 * MIB, 128 * MIB),
            (512 * MIB, 4096 * MIB, 576 * MIB),
            (MIB, 100 * MIB, 80 * MIB),
            (70 * MIB, 100 * MIB, 80 * MIB),
            (u64::MAX, 100 * MIB, 80 * MIB),
        ];
        for (initial, node, expected) in cases {
            assert_eq!(budget(initial, node).memory_bytes, expected, "{initial} of {node}");
        }
    }
}

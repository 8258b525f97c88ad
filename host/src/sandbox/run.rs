//! One attempt, from before its sandbox exists to after it is gone.

use std::sync::Arc;

use super::bindings::{Failure as GuestFailure, Outcome};
use super::call::{Unreturned, drive};
use super::guest::Guest;
use super::log::{Kept, SharedLog};
use super::told::told;
use super::watch::Watch;
use super::witness::Witness;
use super::{Attempt, Ended, GuestJob, Sandboxes, Worker, ending};
use crate::job::{Budget, Evidence, Meter, Verdict};

/// From the second release for want of room on, an attempt starts only with all of its memory reserved.
const RESERVE_AFTER: u32 = 2;

/// Runs an attempt. Dropping the future drops the sandbox.
pub(super) async fn run(sandboxes: &Sandboxes, worker: &Worker, attempt: Attempt) -> Ended {
    let Attempt { job, budget, stop, ports } = attempt;
    let grace = sandboxes.config.stop_grace;
    let watch = Watch::begin(sandboxes.clock.clone(), stop, ports.clone(), budget.timeout, grace);
    let log = SharedLog::new(sandboxes.config.log, sandboxes.clock.clone(), ports.clone());
    let mut guest = Guest::new(sandboxes, watch.clone(), ports, log.clone(), budget.memory_bytes);
    let began = watch.now();
    if let Some(verdict) = hindrance(&watch, &mut guest, &job, &budget) {
        return Ended { verdict, evidence: Evidence::default() };
    }
    let (verdict, meter, checkpoint) = start_to_end(sandboxes, worker, guest, &watch, &job, &budget).await;
    let Kept { lines, bytes, dropped, .. } = log.finish();
    let evidence = Evidence {
        duration: watch.now().since(began),
        component_digest: Some(worker.digest().to_owned()),
        meter: Meter { log_bytes: bytes, log_dropped: dropped, ..meter },
        log: lines,
        checkpoint,
    };
    Ended { verdict, evidence }
}

/// Why the attempt must not even start.
fn hindrance(watch: &Watch, guest: &mut Guest, job: &GuestJob, budget: &Budget) -> Option<Verdict> {
    if let Some(cut) = watch.over(watch.now()) {
        return Some(ending::unreturned(Unreturned::Cut(cut), guest, budget, ""));
    }
    let reserved = if job.tries.releases >= RESERVE_AFTER { guest.memory.reserve() } else { Ok(()) };
    reserved.err().map(|_| Verdict::Released(crate::job::Release::Memory))
}

async fn start_to_end(
    sandboxes: &Sandboxes,
    worker: &Worker,
    guest: Guest,
    watch: &Watch,
    job: &GuestJob,
    budget: &Budget,
) -> (Verdict, Meter, Option<Arc<[u8]>>) {
    let told = told(job);
    // Dropped last, after the store, whether this returns or is dropped.
    let _witness = Witness::of(job);
    let mut store = guest.into_store(sandboxes, budget);
    let answer: Result<Result<Outcome, GuestFailure>, Unreturned> = drive(watch, async {
        let instance = worker.pre().instantiate_async(&mut store).await?;
        instance.call_run(&mut store, &told).await
    })
    .await;
    let fuel_used = budget.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
    let mut guest = store.into_data();
    guest.progress.flush(&*guest.ports);
    let verdict = match answer {
        Ok(answer) => ending::returned(answer, &mut guest, budget),
        Err(end) => ending::unreturned(end, &guest, budget, &guest.log.last_words()),
    };
    let meter = Meter {
        fuel_used,
        cpu_us: u64::try_from(guest.computed().as_micros()).unwrap_or(u64::MAX),
        peak_memory_bytes: guest.memory.peak(),
        ..Meter::default()
    };
    (verdict, meter, guest.checkpoint.take_saved())
}

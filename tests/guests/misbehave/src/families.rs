//! Too much of what is meant for families of jobs, and for the next attempt.

use flyball_worker::bindings::flyball::worker::follow_ups::FollowUp;
use flyball_worker::bindings::flyball::worker::types::ErrorClass;
use flyball_worker::bindings::flyball::worker::{barrier, checkpoint, children};
use flyball_worker::bindings::{Failure, Outcome};

use crate::channels;

/// Sets barriers over and over, each with so many bytes of args. Fails by the first refusal.
pub(crate) fn set_barriers(kind: &str, count: u32, bytes: usize) -> Result<Outcome, Failure> {
    let args = format!("\"{}\"", "x".repeat(bytes));
    for n in 0..count {
        let continuation = FollowUp { args: args.clone(), ..channels::follow_up(kind, n) };
        barrier::set(&continuation).map_err(|refusal| {
            let why = format!("after {n}: {}", channels::word(&refusal));
            crate::failure(ErrorClass::Permanent, why)
        })?;
    }
    crate::done("set")
}

/// Completes with how many it was told of.
pub(crate) fn ask_for_children(times: u32) -> Result<Outcome, Failure> {
    let absurd = [(0, u32::MAX), (u32::MAX, u32::MAX), (u32::MAX, 0), (0, 0)];
    let asked = (0..times).flat_map(|_| absurd);
    crate::done(asked.map(|(offset, limit)| children::list(offset, limit).len()).sum::<usize>())
}

/// Fails if it is refused.
pub(crate) fn save(bytes: usize) -> Result<Outcome, Failure> {
    checkpoint::save(&vec![b'c'; bytes]).map_err(|why| crate::failure(ErrorClass::Permanent, why))?;
    crate::done("saved")
}

pub(crate) fn save_without_end(bytes: usize) -> ! {
    let data = vec![b'c'; bytes];
    loop {
        let _taken = checkpoint::save(&data);
    }
}

pub(crate) fn load_without_end(bytes: usize) -> ! {
    let _taken = checkpoint::save(&vec![b'c'; bytes]);
    loop {
        drop(checkpoint::load());
    }
}

//! Things of the host, without end.

use std::mem::forget;

use flyball_worker::bindings::{Failure, Outcome};
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::random::random::get_random_bytes;

pub(crate) fn leak() -> ! {
    loop {
        forget(subscribe_duration(u64::MAX));
    }
}

pub(crate) fn ask_for_randomness(bytes: u64) -> Result<Outcome, Failure> {
    crate::done(get_random_bytes(bytes).len())
}

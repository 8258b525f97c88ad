//! Never ending: in the guest, and in the host's calls.

use std::hint::{black_box, spin_loop};
use std::thread;
use std::time::Duration;

use flyball_worker::bindings::flyball::worker::stopping::stopping;
use wasip2::clocks::monotonic_clock::{now, subscribe_duration};
use wasip2::io::poll::poll;

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn spin() -> ! {
    loop {
        spin_loop();
    }
}

pub(crate) fn sleep() -> ! {
    loop {
        thread::sleep(HOUR);
    }
}

/// A host call that does next to nothing, over and over.
pub(crate) fn call_cheaply() -> ! {
    loop {
        black_box(now());
    }
}

/// Waits for what has already happened, over and over.
pub(crate) fn poll_ready() -> ! {
    loop {
        subscribe_duration(0).block();
    }
}

/// Waits for nothing at all, which the contract of WASI forbids.
pub(crate) fn poll_nothing() -> ! {
    loop {
        black_box(poll(&[]));
    }
}

/// Waits for a thousand things that do not happen. (More would be past the cap on handles.)
pub(crate) fn poll_many() -> ! {
    let hour = u64::try_from(HOUR.as_nanos()).unwrap_or(u64::MAX);
    let pollables: Vec<_> = (0..1000).map(|_| subscribe_duration(hour)).collect();
    let all: Vec<_> = pollables.iter().collect();
    loop {
        black_box(poll(&all));
    }
}

/// Asks whether to stop, and does not care.
pub(crate) fn spin_unstoppably() -> ! {
    loop {
        black_box(stopping());
        (0..10_000).for_each(|_| spin_loop());
    }
}

pub(crate) fn sleep_unstoppably() -> ! {
    loop {
        black_box(stopping());
        thread::sleep(HOUR);
    }
}

/// One instruction that takes long, over and over: epochs are not looked at inside it.
pub(crate) fn fill_memory(bytes: usize) -> ! {
    let mut memory = vec![0u8; bytes];
    let mut value = 0u8;
    loop {
        memory.fill(black_box(value));
        value = value.wrapping_add(1);
        black_box(&memory);
    }
}

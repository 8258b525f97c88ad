//! Taking more memory and more stack than there is.

use std::hint::black_box;

use flyball_worker::bindings::{Failure, Outcome};

const MEGABYTE: usize = 1 << 20;

/// Takes memory until the allocator gives up, which aborts.
pub(crate) fn eat() -> ! {
    let mut eaten = Vec::new();
    loop {
        eaten.push(vec![1u8; MEGABYTE]);
        black_box(&eaten);
    }
}

/// Takes memory until it is refused, and completes as if nothing had happened.
pub(crate) fn eat_and_go_on() -> Result<Outcome, Failure> {
    const PAGES: usize = 16;
    let mut refused = 0;
    let mut pages = 0;
    while refused < 1000 {
        match core::arch::wasm32::memory_grow::<0>(PAGES) {
            usize::MAX => refused += 1,
            _ => pages += PAGES,
        }
    }
    crate::done(pages)
}

/// The stack of calls.
#[expect(unconditional_recursion, reason = "this is the deed")]
#[inline(never)]
pub(crate) fn recurse(depth: u64) -> u64 {
    black_box(depth).wrapping_add(recurse(black_box(depth.wrapping_add(1))))
}

/// The stack that Rust keeps in the guest's own memory.
#[expect(unconditional_recursion, reason = "this is the deed")]
#[inline(never)]
pub(crate) fn recurse_with_arrays(depth: u64) -> u64 {
    let array = black_box([depth; 512]);
    array[0].wrapping_add(recurse_with_arrays(black_box(depth.wrapping_add(1)))) ^ array[511]
}

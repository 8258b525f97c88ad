//! Returns an output, and never lets go of it: it spins after `run`, when the host says that it
//! has read the result.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

use flyball_worker::bindings::flyball::worker::types::{Defaults, Description};
use flyball_worker::bindings::{Failure, Guest, Job, Outcome, export};

static RETURNED: AtomicBool = AtomicBool::new(false);

struct Clinging;

#[expect(unsafe_code, reason = "post-return does nothing but free: an allocator is the way in")]
// SAFETY: all is left to the system's allocator, or never returns.
unsafe impl GlobalAlloc for Clinging {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on as they are.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        while RETURNED.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        // SAFETY: the caller's promises are passed on as they are.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static CLINGING: Clinging = Clinging;

struct Worker;

impl Guest for Worker {
    fn describe() -> Description {
        Description {
            summary: "Returns an output, and never lets go of it".into(),
            args_schema: None,
            defaults: Defaults::default(),
            needs: Vec::new(),
        }
    }

    fn run(job: Job) -> Result<Outcome, Failure> {
        drop(job);
        let output = "\"done\"".to_string();
        RETURNED.store(true, Ordering::Relaxed);
        Ok(Outcome::Complete(Some(output)))
    }
}

export!(Worker with_types_in flyball_worker::bindings);

//! Never hands out the memory for its args: it spins while the host lowers the job, before `run`.
//! Nothing is lowered for `describe`, so it loads like any other.

use flyball_worker::serde_json::Value;
use flyball_worker::{Job, Result, worker};

/// Takes the place of the function of the same name that comes with wit-bindgen.
#[expect(unsafe_code, reason = "the host finds the function by its name")]
#[unsafe(no_mangle)]
extern "C" fn cabi_realloc(_old: *mut u8, _old_size: usize, _align: usize, _size: usize) -> *mut u8 {
    loop {
        std::hint::spin_loop();
    }
}

fn run(_args: Value, _job: &Job) -> Result<()> {
    Ok(())
}

worker! { run, summary: "Never hands out the memory for its args" }

//! Never gets through its static initialisers: whoever instantiates it waits for ever.

use flyball_worker::serde_json::Value;
use flyball_worker::{Job, Result, worker};

#[used]
#[expect(unsafe_code, reason = "a static initialiser is what this worker is about")]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    loop {
        std::hint::spin_loop();
    }
}

fn run(_args: Value, _job: &Job) -> Result<()> {
    Ok(())
}

worker! { run, summary: "Never gets through its static initialisers" }

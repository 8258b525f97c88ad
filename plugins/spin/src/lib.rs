//! Never ends: to see the host stop it.

use flyball_worker::serde_json::Value;
use flyball_worker::{Job, Result, worker};

fn run(_args: Value, _job: &Job) -> Result<()> {
    loop {
        std::hint::spin_loop();
    }
}

worker! { run, summary: "Never ends", max_attempts: 1 }

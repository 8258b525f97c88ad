//! Does nothing, quickly: what a job costs when its work costs nothing.

use flyball_worker::serde_json::Value;
use flyball_worker::{Job, Result, worker};

fn run(_args: Value, _job: &Job) -> Result<()> {
    Ok(())
}

worker! { run, summary: "Does nothing, quickly" }

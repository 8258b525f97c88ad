//! Never says what it is: it is told apart from other workers by nothing but that.

use flyball_worker::bindings::flyball::worker::types::Description;
use flyball_worker::bindings::{Failure, Guest, Job, Outcome, export};

struct Worker;

impl Guest for Worker {
    fn describe() -> Description {
        loop {
            std::hint::spin_loop();
        }
    }

    fn run(_job: Job) -> Result<Outcome, Failure> {
        Ok(Outcome::Complete(None))
    }
}

export!(Worker with_types_in flyball_worker::bindings);

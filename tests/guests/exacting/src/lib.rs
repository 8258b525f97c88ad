//! Asks so much of its args that checking a hundred kilobytes of them costs nearly all that a host allows.

use flyball_worker::bindings::flyball::worker::types::{Defaults, Description};
use flyball_worker::bindings::{Failure, Guest, Job, Outcome, export};

struct Worker;

impl Guest for Worker {
    fn describe() -> Description {
        let each = vec![r#"{"minimum": 0}"#; 30].join(", ");
        Description {
            summary: "Asks much of its args".into(),
            args_schema: Some(format!(r#"{{"items": {{"allOf": [{each}]}}}}"#)),
            defaults: Defaults::default(),
            needs: Vec::new(),
        }
    }

    fn run(_job: Job) -> Result<Outcome, Failure> {
        Ok(Outcome::Complete(None))
    }
}

export!(Worker with_types_in flyball_worker::bindings);

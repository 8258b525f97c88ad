//! What a guest is told about its job: our types as those of the worker contract.

use serde::Deserialize;

use super::GuestJob;
use super::bindings::Job;

/// Where the request that caused a job stands in its metadata.
#[derive(Default, Deserialize)]
struct Origin {
    request_id: Option<serde_json::Value>,
    traceparent: Option<serde_json::Value>,
}

/// The record `job` of the contract.
pub(super) fn told(job: &GuestJob) -> Job {
    let (request_id, traceparent) = origin(job.metadata.as_str());
    Job {
        id: job.id.to_string(),
        run_id: job.run.to_string(),
        kind: job.kind.to_string(),
        queue: job.queue.to_string(),
        args: job.args.to_string(),
        attempt: job.tries.attempt,
        failures: job.tries.failures,
        max_attempts: job.max_attempts,
        parent_id: job.parent.map(|id| id.to_string()),
        created_at: job.created_at.micros(),
        scheduled_at: job.scheduled_at.micros(),
        deadline: job.deadline.micros(),
        tags: job.tags.iter().map(ToString::to_string).collect(),
        request_id,
        traceparent,
        metadata: job.metadata.to_string(),
    }
}

fn origin(metadata: &str) -> (Option<String>, Option<String>) {
    if metadata == "{}" {
        return (None, None);
    }
    let Origin { request_id, traceparent } = serde_json::from_str(metadata).unwrap_or_default();
    let text = |value: serde_json::Value| value.as_str().map(str::to_owned);
    (request_id.and_then(text), traceparent.and_then(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_job_is_lifted_from_its_metadata() {
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(origin("{}"), (None, None));
        assert_eq!(
            origin(r#"{"request_id":"r-1","traceparent":"00-ab","x":1}"#),
            (text("r-1"), text("00-ab"))
        );
        assert_eq!(origin(r#"{"request_id":7,"traceparent":null}"#), (None, None));
    }
}

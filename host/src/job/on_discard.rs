//! What is enqueued if a job is discarded: a kind and its args, kept with the job.

use serde::{Deserialize, Serialize};

use super::{
    AdmitError, ExecutorClass, InsertOpts, JobId, Json, Kind, Lineage, NewJob, Queue, RunId, Timestamp,
};

/// What a caller asks for, should its job be discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnDiscard {
    /// Which worker is to run it.
    pub kind: Kind,
    /// What the worker is given: JSON text.
    pub args: String,
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    kind: Kind,
    args: Box<serde_json::value::RawValue>,
}

/// A job that was discarded, as far as it decides what follows.
#[derive(Clone, Debug)]
pub struct Discarded {
    /// The job.
    pub job: JobId,
    /// Its last attempt.
    pub run: Option<RunId>,
    /// Its queue.
    pub queue: Queue,
    /// Its executor class.
    pub executor_class: ExecutorClass,
    /// Its own place among its relatives.
    pub lineage: Lineage,
    /// Its metadata.
    pub metadata: Json,
}

impl OnDiscard {
    /// What is kept of it with the job, its args checked.
    pub(super) fn admit(&self) -> Result<Json, AdmitError> {
        let args = Json::parse(&self.args, super::MAX_ARGS_BYTES).map_err(AdmitError::OnDiscard)?;
        let kind = &self.kind;
        Ok(Json::stored(format!(r#"{{"kind":"{kind}","args":{args}}}"#)))
    }

    /// The job that follows, due at once: in the queue and the executor class of the one that was discarded, its child,
    /// and of the same request. Args that the host itself would have refused, as SQL does not, are its args all the same:
    /// it ends by them like any job whose args nobody can read, and is not lost.
    ///
    /// # Errors
    /// What is kept is no kind with args: another program wrote it.
    pub fn follow(kept: &Json, of: Discarded, now: Timestamp) -> Result<NewJob, String> {
        let Kept { kind, args } = serde_json::from_str(kept.as_str()).map_err(|error| error.to_string())?;
        let mut opts = InsertOpts::new(kind, "{}");
        opts.queue = of.queue;
        opts.executor_class = of.executor_class;
        opts.metadata = origin(&of.metadata);
        opts.lineage = Lineage {
            parent: Some(of.job),
            parent_run: of.run,
            root: Some(of.lineage.root.unwrap_or(of.job)),
            depth: of.lineage.depth.saturating_add(1).min(i16::MAX.unsigned_abs()),
            ..Lineage::default()
        };
        let job = opts.admit(JobId::mint(now), now).map_err(|error| error.to_string())?;
        let args =
            Json::parse(args.get(), super::MAX_ARGS_BYTES).unwrap_or_else(|_| Json::stored(args.get()));
        Ok(NewJob { args, ..job })
    }
}

/// The request that the job came from.
fn origin(metadata: &Json) -> Option<String> {
    const CARRIED: [&str; 2] = ["request_id", "traceparent"];
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(metadata.as_str()).ok()?;
    fields.retain(|name, _| CARRIED.contains(&name.as_str()));
    let origin = (!fields.is_empty()).then(|| serde_json::Value::Object(fields).to_string());
    origin.filter(|origin| Json::parse(origin, super::MAX_METADATA_BYTES).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn discarded(metadata: &str) -> Discarded {
        Discarded {
            job: JobId::mint(NOW),
            run: None,
            queue: Queue::new("mail").expect("valid"),
            executor_class: ExecutorClass::new("gpu").expect("valid"),
            lineage: Lineage::default(),
            metadata: Json::stored(metadata.to_owned()),
        }
    }

    #[test]
    fn what_follows_a_discard_is_its_child_in_its_lane_and_of_its_request() {
        let asked = OnDiscard { kind: Kind::new("tell").expect("valid"), args: r#"{ "a": 1.50 }"#.into() };
        let kept = asked.admit().expect("admitted");
        let of = discarded(r#"{"request_id":"r-1","x":1,"traceparent":"00-ab"}"#);
        let job = OnDiscard::follow(&kept, of.clone(), NOW).expect("followed");
        assert_eq!((job.kind.as_str(), job.args.as_str()), ("tell", r#"{"a":1.5}"#));
        assert_eq!((job.queue, job.executor_class), (of.queue, of.executor_class));
        let lineage = (job.lineage.parent, job.lineage.root, job.lineage.depth);
        assert_eq!(lineage, (Some(of.job), Some(of.job), 1));
        assert_eq!(job.metadata.as_str(), r#"{"request_id":"r-1","traceparent":"00-ab"}"#);
        let plain = OnDiscard::follow(&kept, discarded(r#"{"x":1}"#), NOW).expect("followed");
        assert_eq!(plain.metadata, Json::empty_object());
    }

    #[test]
    fn args_that_the_host_would_not_take_are_kept_as_they_are() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for args in [&*deep, &"9".repeat(70), r#"{"a":1,"a":2}"#] {
            let kept = Json::stored(format!(r#"{{"kind":"tell","args":{args}}}"#));
            let job =
                OnDiscard::follow(&kept, discarded(r#"{"request_id":"\u0000"}"#), NOW).expect("followed");
            assert_eq!((job.args.as_str(), job.metadata), (args, Json::empty_object()));
        }
    }

    #[test]
    fn what_another_program_wrote_and_nobody_can_enqueue_is_refused_with_its_reason() {
        for kept in ["7", r#"{"kind":"No Kind","args":1}"#, r#"{"kind":"tell"}"#] {
            assert!(
                OnDiscard::follow(&Json::stored(kept.to_owned()), discarded("{}"), NOW).is_err(),
                "{kept}"
            );
        }
    }
}

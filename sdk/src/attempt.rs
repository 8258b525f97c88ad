//! One attempt: args in, the function, an outcome or a failure out. Calls nothing of the host.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::flyball::worker::types as wire;
use crate::{Failure, IntoOutcome, Job, Outcome};

/// Runs a worker's function on a job.
///
/// # Errors
/// Args that do not parse, an output that can't be written, and whatever the function returned.
pub fn attempt<A, O, E>(
    run: impl Fn(A, &Job) -> Result<O, E>,
    job: &Job,
) -> Result<wire::Outcome, wire::Failure>
where
    A: DeserializeOwned,
    O: IntoOutcome,
    E: Into<Failure>,
{
    let args = parse(&job.args)?;
    let outcome = run(args, job).map_err(Into::into)?;
    Ok(write(outcome.into_outcome())?)
}

fn parse<A: DeserializeOwned>(args: &str) -> Result<A, Failure> {
    let mut json = serde_json::Deserializer::from_str(args);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { format!(", {path}") };
        Failure::invalid(format!("args{field}: {}", error.into_inner()))
    })?;
    json.end().map_err(|error| Failure::invalid(format!("args: {error}")))?;
    Ok(parsed)
}

fn write<T: Serialize>(outcome: Outcome<T>) -> Result<wire::Outcome, Failure> {
    Ok(match outcome {
        Outcome::Complete(output) => {
            let text = serde_json::to_string(&output).map_err(|error| {
                Failure::permanent(format!("the output can't be written as JSON: {error}"))
            })?;
            wire::Outcome::Complete(if text == "null" { None } else { Some(text) })
        }
        Outcome::Snooze(delay) => wire::Outcome::Snooze(crate::quantity::whole_millis(delay)),
        Outcome::Cancel(reason) => wire::Outcome::Cancel(reason),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;
    use crate::ErrorClass;

    #[derive(Debug, Deserialize)]
    struct Args {
        documents: Vec<Document>,
    }

    #[derive(Debug, Deserialize)]
    struct Document {
        text: String,
    }

    fn job(args: &str) -> Job {
        Job {
            id: "j".into(),
            run_id: "r".into(),
            kind: "k".into(),
            queue: "default".into(),
            args: args.into(),
            attempt: 1,
            failures: 0,
            max_attempts: 25,
            parent_id: None,
            created_at: 0,
            scheduled_at: 0,
            deadline: 0,
            tags: Vec::new(),
            request_id: None,
            traceparent: None,
            metadata: "{}".into(),
        }
    }

    fn lengths(args: Args, _: &Job) -> crate::Result<Vec<usize>> {
        Ok(args.documents.into_iter().map(|d| d.text.len()).collect())
    }

    fn failure(args: &str) -> (ErrorClass, String) {
        let failure = attempt(lengths, &job(args)).expect_err("these args do not parse");
        (failure.class, failure.message)
    }

    #[test]
    fn what_the_function_returns_is_the_output() {
        let outcome = attempt(lengths, &job(r#"{"documents":[{"text":"abc"}]}"#));
        assert!(matches!(outcome, Ok(wire::Outcome::Complete(Some(text))) if text == "[3]"));
    }

    #[test]
    fn a_unit_is_no_output() {
        fn nothing(_: (), _: &Job) -> crate::Result<()> {
            Ok(())
        }
        let outcome = attempt(nothing, &job("null"));
        assert!(matches!(outcome, Ok(wire::Outcome::Complete(None))));
    }

    #[test]
    fn snooze_and_cancel_are_outcomes_too() {
        fn decide(snooze: bool, _: &Job) -> crate::Result<Outcome<()>> {
            Ok(match snooze {
                true => Outcome::Snooze(Duration::from_secs(2)),
                false => Outcome::Cancel("nobody asks any more".into()),
            })
        }
        assert!(matches!(attempt(decide, &job("true")), Ok(wire::Outcome::Snooze(2000))));
        assert!(matches!(attempt(decide, &job("false")), Ok(wire::Outcome::Cancel(_))));
    }

    #[test]
    fn args_that_do_not_parse_are_named_by_their_path() {
        let (class, message) = failure(r#"{"documents":[{"text":"a"},{"text":7}]}"#);
        assert_eq!(class, ErrorClass::Validation);
        assert!(message.starts_with("args, documents[1].text: invalid type: integer"), "{message}");

        let (_, message) = failure("{}");
        assert!(message.starts_with("args: missing field `documents`"), "{message}");

        let (_, message) = failure(r#"{"documents":[]} and more"#);
        assert!(message.starts_with("args: trailing characters"), "{message}");
    }

    #[test]
    fn an_output_that_json_cannot_say_is_a_permanent_failure() {
        fn map(_: (), _: &Job) -> crate::Result<HashMap<Vec<u8>, u8>> {
            Ok(HashMap::from([(vec![1], 1)]))
        }
        let failure = attempt(map, &job("null")).expect_err("a key must be a string");
        assert_eq!(failure.class, ErrorClass::Permanent);
        assert!(failure.message.contains("key must be a string"), "{}", failure.message);
    }

    #[test]
    fn a_function_may_return_any_error() {
        fn refuses(_: (), _: &Job) -> Result<(), Box<dyn std::error::Error>> {
            Err("the disk is full".into())
        }
        let failure = attempt(refuses, &job("null")).expect_err("it refuses");
        assert_eq!(failure.class, ErrorClass::Transient);
        assert_eq!(failure.message, "the disk is full");
    }
}

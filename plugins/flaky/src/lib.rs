//! Fails as often as it is told, then succeeds: to see retries at work.

use flyball_worker::{Failure, Job, Result, worker};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// How many attempts fail.
    #[serde(default)]
    fail: u32,
}

#[derive(Debug, PartialEq, Serialize)]
struct Survived {
    failures: u32,
}

fn run(args: Args, job: &Job) -> Result<Survived> {
    attempt(args.fail, job.failures)
}

fn attempt(fail: u32, failures: u32) -> Result<Survived> {
    if failures < fail {
        let this = failures + 1;
        return Err(Failure::transient(format!("failing as asked, {this} of {fail}")));
    }
    Ok(Survived { failures })
}

worker! {
    run,
    summary: "Fails as often as it is told, then succeeds",
    backoff_base: "1s",
    backoff_cap: "5s",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fails_as_often_as_it_is_told() {
        for failures in 0..2 {
            let failure = attempt(2, failures).expect_err("twice");
            assert_eq!(failure.to_string(), format!("failing as asked, {} of 2", failures + 1));
        }
        assert_eq!(attempt(2, 2).expect("then no more"), Survived { failures: 2 });
    }
}

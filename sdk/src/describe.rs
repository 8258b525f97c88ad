//! What a worker says about itself.

use schemars::{JsonSchema, SchemaGenerator};

use crate::bindings::flyball::worker::types as wire;
use crate::{Job, quantity};

/// What a worker says about itself, beside the schema of its args: filled by
/// [`worker!`](crate::worker), one key for each method. What it wishes for its jobs counts where
/// neither the job nor the manifest says otherwise, and within the operator's ceilings.
#[derive(Clone, Debug)]
pub struct Description {
    summary: &'static str,
    needs: &'static [&'static str],
    timeout_ms: Option<u64>,
    fuel: Option<u64>,
    memory_bytes: Option<u64>,
    max_attempts: Option<u32>,
    backoff_base_ms: Option<u64>,
    backoff_cap_ms: Option<u64>,
}

impl Description {
    /// Only a summary: one line for people.
    #[must_use]
    pub const fn new(summary: &'static str) -> Self {
        Self {
            summary,
            needs: &[],
            timeout_ms: None,
            fuel: None,
            memory_bytes: None,
            max_attempts: None,
            backoff_base_ms: None,
            backoff_cap_ms: None,
        }
    }

    /// How long an attempt may take: `"30s"`, `"500ms"`, `"10m"`.
    #[must_use]
    pub const fn timeout(self, duration: &'static str) -> Self {
        Self { timeout_ms: Some(quantity::millis(duration)), ..self }
    }

    /// How many instructions an attempt may use: `"5G"`. A billion is about 0.4 s of a tight loop.
    #[must_use]
    pub const fn fuel(self, fuel: &'static str) -> Self {
        Self { fuel: Some(quantity::fuel(fuel)), ..self }
    }

    /// How much memory an attempt may use: `"64MiB"`.
    #[must_use]
    pub const fn memory(self, size: &'static str) -> Self {
        Self { memory_bytes: Some(quantity::bytes(size)), ..self }
    }

    /// How many attempts may fail before the job is given up.
    #[must_use]
    pub const fn max_attempts(self, attempts: u32) -> Self {
        Self { max_attempts: Some(attempts), ..self }
    }

    /// The delay after the first failure: `"2s"`. Each further failure doubles it.
    #[must_use]
    pub const fn backoff_base(self, duration: &'static str) -> Self {
        Self { backoff_base_ms: Some(quantity::millis(duration)), ..self }
    }

    /// What the delay never exceeds: `"10m"`.
    #[must_use]
    pub const fn backoff_cap(self, duration: &'static str) -> Self {
        Self { backoff_cap_ms: Some(quantity::millis(duration)), ..self }
    }

    /// The grants without which the worker can't work: `&["enqueue:report"]`. It grants nothing:
    /// it tells the operator what the manifest must allow.
    #[must_use]
    pub const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }
}

impl Default for wire::Defaults {
    /// Nothing is asked for: the host decides.
    fn default() -> Self {
        Self {
            timeout_ms: None,
            fuel: None,
            memory_bytes: None,
            max_attempts: None,
            backoff_base_ms: None,
            backoff_cap_ms: None,
        }
    }
}

/// The description of the worker whose function this is.
pub fn describe<A: JsonSchema, O>(
    _run: impl Fn(A, &Job) -> O,
    description: &Description,
) -> wire::Description {
    let schema = SchemaGenerator::default().into_root_schema_for::<A>();
    wire::Description {
        summary: description.summary.into(),
        args_schema: Some(schema.as_value().to_string()),
        defaults: wire::Defaults {
            timeout_ms: description.timeout_ms,
            fuel: description.fuel,
            memory_bytes: description.memory_bytes,
            max_attempts: description.max_attempts,
            backoff_base_ms: description.backoff_base_ms,
            backoff_cap_ms: description.backoff_cap_ms,
        },
        needs: description.needs.iter().map(|&need| need.into()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_functions_args() {
        fn run(_: Vec<u8>, _: &Job) {}
        const DESCRIPTION: Description =
            Description::new("Adds").timeout("30s").memory("1MiB").needs(&["enqueue:sum"]);

        let wire = describe(run, &DESCRIPTION);
        assert_eq!(wire.summary, "Adds");
        assert_eq!(wire.needs, ["enqueue:sum"]);
        assert_eq!(wire.defaults.timeout_ms, Some(30_000));
        assert_eq!(wire.defaults.memory_bytes, Some(1 << 20));
        assert_eq!(wire.defaults.fuel, None);

        let schema = wire.args_schema.expect("there is always a schema");
        let schema: serde_json::Value = serde_json::from_str(&schema).expect("it is JSON");
        assert_eq!(schema["type"], "array");
    }
}

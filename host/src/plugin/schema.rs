//! The schema of a worker's args: compiled once per load, asked once per attempt.

use serde_json::Value;

use crate::job::{ErrorClass, Failure, Json};

/// A compiled schema.
pub(super) struct ArgsSchema(jsonschema::Validator);

impl ArgsSchema {
    pub(super) fn compile(schema: &Json) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(schema.as_str()).map_err(|error| error.to_string())?;
        jsonschema::options().offline().build(&schema).map(Self).map_err(|error| error.to_string())
    }

    pub(super) fn check(&self, args: &Json) -> Result<(), Failure> {
        let failed = |message: &str| Failure::new(ErrorClass::Validation, message);
        let args: Value = serde_json::from_str(args.as_str()).map_err(|error| failed(&error.to_string()))?;
        self.0.validate(&args).map_err(|error| failed(&format!("args{}: {error}", error.instance_path())))
    }
}

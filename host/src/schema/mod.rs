//! The schema of a worker's args: compiled once per load, asked once per attempt, and before by whoever enqueues.
//!
//! A stranger wrote it, and validation can take time that is exponential in it, on a thread of the host. So every check
//! begins with a bound of its cost ([`Shape`]), and one that would cost too much is a failure like any other. One that
//! costs more than a little is not for a thread on which others wait.

mod cost;
mod pattern;
mod shape;
mod weight;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use self::cost::{AT_ONCE, Cost, MOST, TooCostly};
use self::pattern::MAX_PATTERN_BYTES;
use self::shape::Shape;
use crate::job::{ErrorClass, Failure, Json};

/// Whether args are checked here at all.
pub(crate) const CHECKS: bool = true;
/// The most bytes of a schema.
const MAX_SCHEMA_BYTES: usize = 64 << 10;
/// Args of more bytes take a while even to read.
const MAX_BYTES_AT_ONCE: usize = 8 << 10;

/// A compiled schema.
pub(crate) struct ArgsSchema {
    shape: Shape,
    validator: Validator,
}

impl ArgsSchema {
    /// Compiles a schema, or says why it is not taken. Nothing is ever fetched.
    pub(crate) fn compile(schema: &Json) -> Result<Self, String> {
        if schema.as_str().len() > MAX_SCHEMA_BYTES {
            return Err(format!("{} bytes, {MAX_SCHEMA_BYTES} are allowed", schema.as_str().len()));
        }
        let schema: Value = serde_json::from_str(schema.as_str()).map_err(|error| error.to_string())?;
        let draft = draft_of(&schema)?;
        let shape = Shape::of(&schema)?;
        // Without look-around and back-references, matching takes time that is linear in the text.
        let patterns =
            PatternOptions::regex().size_limit(MAX_PATTERN_BYTES).dfa_size_limit(MAX_PATTERN_BYTES);
        let options = jsonschema::options().with_draft(draft).offline();
        let options = options.should_validate_formats(false).with_pattern_options(patterns);
        let validator = options.build(&schema).map_err(|error| error.to_string())?;
        Ok(Self { shape, validator })
    }

    /// Whether args match. Takes tenths of a second at the worst.
    pub(crate) fn check(&self, args: &Json) -> Result<(), Failure> {
        let args = parsed(args)?;
        match self.shape.cost(&args, MOST) {
            Ok(cost) => self.answer(&args, cost),
            Err(TooCostly) => failed("args: checking them against the worker's schema would take too long"),
        }
    }

    /// Whether args match; `None` if finding out takes longer than others may wait.
    pub(crate) fn check_at_once(&self, args: &Json) -> Option<Result<(), Failure>> {
        if args.as_str().len() > MAX_BYTES_AT_ONCE {
            return None;
        }
        let args = match parsed(args) {
            Ok(args) => args,
            Err(failure) => return Some(Err(failure)),
        };
        let cost = self.shape.cost(&args, AT_ONCE).ok().filter(|cost| cost.is_spent_at_once())?;
        Some(self.answer(&args, cost))
    }

    fn answer(&self, args: &Value, cost: Cost) -> Result<(), Failure> {
        if self.validator.is_valid(args) {
            return Ok(());
        }
        if !cost.can_be_explained() {
            return failed("args: they do not match the worker's schema");
        }
        match self.validator.validate(args) {
            Ok(()) => failed("args: they do not match the worker's schema"),
            Err(error) => failed(&format!("args{}: {error}", error.instance_path())),
        }
    }
}

fn parsed(args: &Json) -> Result<Value, Failure> {
    serde_json::from_str(args.as_str()).or_else(|error| failed(&format!("args: {error}")))
}

fn failed<T>(message: &str) -> Result<T, Failure> {
    Err(Failure::new(ErrorClass::Validation, message))
}

fn draft_of(schema: &Value) -> Result<Draft, String> {
    let Some(named) = schema.get("$schema") else { return Ok(Draft::Draft202012) };
    let named = named.as_str().unwrap_or_default().trim_end_matches('#');
    match named.split_once("://").map_or(named, |(_, rest)| rest) {
        "json-schema.org/draft/2020-12/schema" => Ok(Draft::Draft202012),
        "json-schema.org/draft/2019-09/schema" => Ok(Draft::Draft201909),
        "json-schema.org/draft-07/schema" => Ok(Draft::Draft7),
        _ => Err("$schema names a draft that is not supported: use 2020-12, 2019-09 or draft-07".into()),
    }
}

#[cfg(test)]
mod tests;

//! The client alone, without the feature `schema`: args are checked by the node that runs the job.

use crate::job::{Failure, Json};

/// Whether args are checked here at all.
pub(crate) const CHECKS: bool = false;

/// A schema that is not looked at.
pub(crate) struct ArgsSchema;

impl ArgsSchema {
    /// Takes any schema.
    pub(crate) fn compile(_schema: &Json) -> Result<Self, String> {
        Ok(Self)
    }

    /// Whether args match: that is not known here.
    pub(crate) fn check(&self, _args: &Json) -> Result<(), Failure> {
        Ok(())
    }

    /// As [`Self::check`].
    pub(crate) fn check_at_once(&self, _args: &Json) -> Option<Result<(), Failure>> {
        Some(Ok(()))
    }
}

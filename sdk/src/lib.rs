#![doc = include_str!("../README.md")]

mod attempt;
#[doc(hidden)]
pub mod bindings;
pub mod checkpoint;
mod children;
mod describe;
mod failure;
mod follow_up;
pub mod log;
mod outcome;
mod quantity;
mod signals;
mod worker;

pub use bindings::flyball::worker::stopping::Cause;
pub use bindings::flyball::worker::types::{ErrorClass, Job};
pub use children::{Child, ChildState, Children, children};
pub use describe::Description;
pub use failure::{Classify, Failure, Result};
pub use follow_up::{FollowUp, Refusal, follow_up, set_barrier};
pub use outcome::{IntoOutcome, Outcome};
pub use schemars;
pub use serde;
pub use serde_json;
pub use signals::{cost, progress, stopping};

/// What the code of [`worker!`] and of the [`mod@log`] macros names. Not part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::attempt::attempt;
    pub use crate::describe::describe;
}

//! What a job is: its nouns and its state machine.
//!
//! Everything here is pure: no IO, no async, no database, no sandbox. A job is *admitted*
//! ([`InsertOpts::admit`]), *claimed* ([`Claim`]), ends an attempt with a [`Verdict`], and
//! [`Claim::settle`] decides, once, what that means: a [`Settlement`] that the store carries out.

mod admit;
mod args;
mod budget;
mod claim;
mod failure;
mod id;
mod json;
mod limit;
mod name;
mod on_discard;
mod operation;
mod permit;
mod priority;
mod record;
mod retention;
mod retry;
mod settle;
mod share;
mod state;
mod text;
mod time;
mod verdict;

pub use admit::{AdmitError, InsertOpts, NewJob, When};
pub use args::{IntoInsertOpts, JobArgs};
pub use budget::{Budget, Meter, Overrides};
pub use claim::{Claim, Lineage, Sequel, Tries};
pub use failure::{Failure, MAX_DETAIL_BYTES, MAX_MESSAGE_BYTES};
pub use id::{ActionId, InvalidId, JobId, JobIds, NodeId, RunId};
pub use json::{Json, JsonError, MAX_ARGS_BYTES, MAX_DEPTH, MAX_METADATA_BYTES};
pub use limit::{Field, Limit, LimitError, MAX_PERMITS, Rate};
pub use name::{ExecutorClass, Key, Kind, LimitName, NameError, Queue, Slug, Tag};
pub use on_discard::{Discarded, OnDiscard};
pub use operation::{Barriers, Due, Force, Operation, Replay};
pub use permit::Permits;
pub use priority::{NoPriority, Priority};
pub use record::{ChildRecord, JobRecord, LogRecord, RunRecord};
pub use retention::{Keep, QueueSet, Remains, RetentionPolicy, Walk};
pub use retry::{Backoff, MAX_DELAY, MIN_DELAY, RetryPolicy};
pub use settle::{
    CheckpointEnd, Evidence, Loss, LossPolicy, LossSettlement, MAX_CHECKPOINT_BYTES, RunEnd, Settlement,
    Transition,
};
pub use share::{ServedQueue, Weight};
pub(crate) use state::words;
pub use state::{ErrorClass, JobState, LogLevel, Outcome, SettledBy, UnknownWord};
pub use text::{cut, one_line, visible};
pub use time::Timestamp;
pub use verdict::{Completion, Release, Verdict};

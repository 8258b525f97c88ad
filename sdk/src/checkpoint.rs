//! What one attempt leaves for the next: up to 1 MiB that outlives a failure, a snooze, a crash and a
//! move to another node. It goes when the job succeeds.
//!
//! ```no_run
//! # use flyball_worker::{Result, checkpoint};
//! # fn index(_: u64) -> Result<()> { Ok(()) }
//! fn run(pages: u64) -> Result<()> {
//!     let done: u64 = checkpoint::load()?.unwrap_or(0);
//!     for page in done..pages {
//!         index(page)?;
//!         checkpoint::save(&(page + 1))?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Save as often as you like: the last one wins. It is stored at most once a second, and with the
//! end of the attempt; a crash of the node can lose the last second, so that work since then is
//! done again.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::flyball::worker::checkpoint as wire;
use crate::{Classify, Failure, Result};

/// What was saved last, in this attempt or in one before; `None` if nothing was.
///
/// # Errors
/// What was saved is something else, perhaps by an earlier version of the worker: a permanent
/// failure. To begin anew instead, take it for nothing: `load().ok().flatten()`.
pub fn load<T: DeserializeOwned>() -> Result<Option<T>> {
    load_bytes().map(|bytes| read(&bytes)).transpose()
}

/// Takes the place of what was saved before.
///
/// # Errors
/// What JSON cannot say, and more than 1 MiB: a permanent failure.
pub fn save(state: &impl Serialize) -> Result<()> {
    save_bytes(&serde_json::to_vec(state).permanent()?)
}

/// As [`load`], whatever the bytes are.
#[must_use]
pub fn load_bytes() -> Option<Vec<u8>> {
    wire::load()
}

/// As [`save`], whatever the bytes are.
///
/// # Errors
/// More than 1 MiB: a permanent failure.
pub fn save_bytes(bytes: &[u8]) -> Result<()> {
    wire::save(bytes).map_err(Failure::permanent)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| format!("the checkpoint: {error}")).permanent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_of_another_shape_is_told_apart_from_none() {
        assert_eq!(read::<u64>(b"7").ok(), Some(7));
        let failure = read::<u64>(b"{}").expect_err("no number");
        assert!(failure.to_string().starts_with("the checkpoint: invalid type"), "{failure}");
    }
}

//! Running foreign code: every attempt in a sandbox of its own.
//!
//! Three lifetimes: the engine starts once, a [`Worker`] is prepared once per load, and an attempt gets a new store
//! and a new instance. What a guest asks of the queue goes through [`Ports`], which whoever runs attempts implements.

mod attempt;
mod ports;
mod stop;

pub use attempt::{Attempt, Ended, GuestJob};
pub use ports::{FollowUpRequest, Ports, Refusal};
pub use stop::{Stop, StopCause};

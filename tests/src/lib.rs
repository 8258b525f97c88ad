//! The harness of Flyball's tests: what a test needs of the world, real and under its control.
//!
//! promises are in `tests/tests/`.

pub mod ambient;
mod cargo;
pub mod eventually;
pub mod guests;
pub mod house;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod witness;

pub use eventually::{GENEROUS, eventually};

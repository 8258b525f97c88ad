//! The harness of Flyball's tests: what a test needs of the world, real and under its control.
//!
//! Real databases, the real binary, real components, and the means to hurt them. It holds no promise itself; the
//! promises are in `tests/tests/`.

pub mod ambient;
pub mod binary;
mod cargo;
pub mod eventually;
pub mod guests;
pub mod home;
pub mod house;
pub mod http;
pub mod load;
pub mod node;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod room;
pub mod wall;
pub mod witness;

pub use eventually::{GENEROUS, eventually};
pub use home::Home;
pub use node::Node;

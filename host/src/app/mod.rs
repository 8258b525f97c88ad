//! The composition root: the only room that knows everyone. It builds a node from its parts, starts their services,
//! and stops them in the one right order.

mod health;
mod node;
mod settings;
mod stop;

pub use node::{Node, NodeError};
pub use settings::NodeSettings;
pub use stop::{Stopped, Stopper};

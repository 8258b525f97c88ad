//! The composition root: the only room that knows everyone. It builds a node from its parts, starts their services,
//! and stops them in the one right order.

mod builder;
mod checks;
mod health;
mod idle;
mod node;
mod observers;
mod runner_settings;
mod services;
mod settings;
mod stop;

pub use builder::NodeBuilder;
pub(crate) use idle::COMES_BACK_WITHIN;
pub use node::{Node, NodeError};
pub use runner_settings::RunnerSettings;
pub use settings::{NodeSettings, SettingsError};
pub use stop::{Stopped, Stopper};

pub use crate::http::{FailingCheck, Readiness};

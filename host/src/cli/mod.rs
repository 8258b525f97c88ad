//! Being called: one subcommand per file.

pub mod build;
pub mod completions;
pub mod config_check;
pub mod exit;
pub mod new;
pub mod plugins;

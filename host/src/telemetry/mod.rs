//! Telemetry: consumes events. For now the log; metrics and traces come with an issue of their own.

mod log;
mod pulse;
mod subscriber;

pub use log::{is_logged, log_events};
pub use pulse::beat_pulse;
pub use subscriber::{LogConfig, LogFormat, start_logging};

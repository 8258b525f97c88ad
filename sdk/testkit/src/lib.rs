#![doc = include_str!("../README.md")]

mod ended;
mod error;
mod http;
mod job;
mod kit;
mod ports;
mod worker;

pub use ended::{Ended, Progress};
pub use error::TestKitError;
pub use flyball::job::{ErrorClass, Failure, LogLevel, LogRecord, NewJob, Timestamp, Verdict};
pub use flyball::sandbox::StopCause;
pub use http::{Answer, Http, Requested};
pub use job::Job;
pub use kit::TestKit;
pub use worker::Worker;

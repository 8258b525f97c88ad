#![doc = include_str!("../README.md")]

#[cfg(feature = "host")]
pub mod app;
#[cfg(feature = "host")]
pub mod cli;
mod client;
pub mod clock;
#[cfg(feature = "host")]
pub mod config;
pub mod event;
#[cfg(feature = "host")]
pub mod http;
pub mod job;
#[cfg(feature = "host")]
pub mod plugin;
pub mod quantity;
#[cfg(feature = "host")]
pub mod runner;
#[cfg(feature = "host")]
pub mod sandbox;
#[cfg(feature = "host")]
pub mod scheduler;
#[cfg(feature = "schema")]
mod schema;
#[cfg(not(feature = "schema"))]
#[path = "schema/absent.rs"]
mod schema;
#[cfg(feature = "host")]
pub mod service;
pub mod store;
#[cfg(feature = "host")]
pub mod telemetry;
pub mod timing;
pub mod wake;

pub use client::{
    BulkError, Client, ClientError, Ended, LastRun, OnNode, QueueStatus, Wake, Why, request_id,
    with_request_id,
};

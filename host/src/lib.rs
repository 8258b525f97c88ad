//! Flyball: a host that runs background jobs whose workers are WebAssembly components.

pub mod clock;
#[cfg(feature = "host")]
pub mod config;
pub mod event;
pub mod job;
#[cfg(feature = "host")]
pub mod plugin;
#[cfg(feature = "host")]
pub mod quantity;
#[cfg(feature = "host")]
pub mod sandbox;
#[cfg(feature = "host")]
pub mod service;
pub mod store;
pub mod wake;

//! The one table of settings: each line is a key of `flyball.toml`, a variable of the environment and a flag.

use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;

use serde::Deserialize;

use super::value::{AllocatorName, ClassName, Delays};
use crate::quantity::{Bytes, Span};
use crate::telemetry::LogFormat;

/// Makes a struct that flags and environment fill, and a table of the file as well; and lays one over the other.
macro_rules! settings {
    ($(#[$outer:meta])* pub struct $name:ident {
        $($(#[doc = $doc:literal])+ $(#[arg($($arg:tt)*)])? $field:ident: ($($type:tt)+) = $env:literal;)+
    }) => {
        $(#[$outer])*
        #[derive(Clone, Debug, Default, PartialEq, clap::Args, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                #[arg(long, env = $env)]
                $(#[arg($($arg)*)])?
                pub(super) $field: Option<$($type)+>,
            )+
        }

        impl $name {
            /// These settings, and those below where these say nothing.
            pub(super) fn over(self, below: Self) -> Self {
                Self { $($field: self.$field.or(below.$field),)+ }
            }
        }
    };
}

settings! {
    /// `[node]`, and flags of `serve`.
    pub struct NodeSettings {
        /// What operators know this node by [default: the name of the machine]
        name: (String) = "FLYBALL_NAME";
        /// The most attempts at once [default: four for each core]
        concurrency: (NonZeroU16) = "FLYBALL_CONCURRENCY";
        /// An executor class whose jobs this node runs; repeatable. `*` is every class, an empty name the jobs without
        /// one [default: only jobs without a class]
        #[arg(long = "class", value_name = "NAME", value_delimiter = ',')]
        classes: (Vec<ClassName>) = "FLYBALL_CLASS";
        /// How long others wait before they take this node for dead, on PostgreSQL [default: 15s]
        lease: (Span) = "FLYBALL_LEASE";
        /// Losses of its node in a row after which a job is discarded [default: 3]
        max_crashes: (NonZeroU32) = "FLYBALL_MAX_CRASHES";
        /// Delays after a loss: BASE or BASE..CAP [default: 1s..1m]
        #[arg(value_name = "BASE[..CAP]")]
        crash_backoff: (Delays) = "FLYBALL_CRASH_BACKOFF";
        /// Memory of all attempts together [default: half of the machine's]
        guest_memory: (Bytes) = "FLYBALL_GUEST_MEMORY";
        /// How long an attempt that is asked to stop has before it is stopped [default: 200ms]
        stop_grace: (Span) = "FLYBALL_STOP_GRACE";
        /// How long attempts may finish when this node is told to stop [default: 30s]
        drain_timeout: (Span) = "FLYBALL_DRAIN_TIMEOUT";
        /// How long past its deadline an attempt is left to its own node [default: 1m]
        deadline_grace: (Span) = "FLYBALL_DEADLINE_GRACE";
        /// How often to look for work that no ring announced [default: 1s]
        poll_interval: (Span) = "FLYBALL_POLL_INTERVAL";
        /// How often the log is told how the queues stand; 0s is never [default: never]
        health_pulse: (Span) = "FLYBALL_HEALTH_PULSE";
        /// Leave sweeping, schedules and retention to other nodes
        #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
        no_maintenance: (bool) = "FLYBALL_NO_MAINTENANCE";
        /// Where the memory of sandboxes comes from [default: pooling]
        allocator: (AllocatorName) = "FLYBALL_ALLOCATOR";
        /// What is logged: a level, or directives such as `info,flyball=debug` [default: info]
        #[arg(value_name = "FILTER")]
        log: (String) = "FLYBALL_LOG";
        /// The form of the log: text or json [default: text]
        #[arg(value_name = "FORMAT")]
        log_format: (LogFormat) = "FLYBALL_LOG_FORMAT";
    }
}

settings! {
    /// What every command needs to know.
    pub struct CommonSettings {
        /// Where jobs are remembered: sqlite:PATH or postgres://… [default: sqlite:flyball.db]
        #[arg(global = true, value_name = "URL", hide_env_values = true)]
        database: (String) = "DATABASE_URL";
        /// The folder of workers [default: plugins]
        #[arg(global = true, value_name = "DIR")]
        plugins: (PathBuf) = "FLYBALL_PLUGINS";
        /// The folder for compiled code, or none [default: flyball in the user's cache folder]
        #[arg(global = true, value_name = "DIR")]
        cache: (PathBuf) = "FLYBALL_CACHE";
    }
}

//! Log lines of this attempt, kept with its run: `log::info!(words = 12, "counted {name}")`.
//! Fields come first, as in `tracing`; then the message, as in `format!`.

pub use crate::__debug as debug;
pub use crate::__error as error;
pub use crate::__info as info;
pub use crate::__trace as trace;
pub use crate::__warn as warn;
pub use crate::bindings::flyball::worker::log::Level;

use crate::bindings::flyball::worker::log as wire;

/// Writes one record. Fields are names and values.
pub fn write(level: Level, message: &str, fields: &[(String, String)]) {
    wire::write(level, message, fields);
}

#[doc(hidden)]
#[macro_export]
macro_rules! __log {
    ($level:ident, $($key:ident = $value:expr,)* $message:literal $($args:tt)*) => {
        $crate::log::write(
            $crate::log::Level::$level,
            &::std::format!($message $($args)*),
            &[$((
                ::std::string::String::from(::core::stringify!($key)),
                ::std::string::ToString::to_string(&$value),
            )),*],
        )
    };
}

/// Logs what only helps to follow the code step by step.
#[doc(hidden)]
#[macro_export]
macro_rules! __trace {
    ($($record:tt)+) => { $crate::__log!(Trace, $($record)+) };
}

/// Logs what helps to find a fault.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($record:tt)+) => { $crate::__log!(Debug, $($record)+) };
}

/// Logs what somebody may want to know later.
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($record:tt)+) => { $crate::__log!(Info, $($record)+) };
}

/// Logs what somebody should look at.
#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($record:tt)+) => { $crate::__log!(Warn, $($record)+) };
}

/// Logs what went wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($record:tt)+) => { $crate::__log!(Error, $($record)+) };
}

//! Where a guest was when it trapped, as text for a human.
//!
//! The names are the guest's own, and hostile like all that it says. C++ names are shown as they are: written out,
//! a name of a few hundred bytes can have more characters than there is memory.

use std::fmt::{self, Write as _};

use wasmtime::WasmBacktrace;

use super::log::harmless;
use crate::job::cut;

/// What is read of a name.
const READ: usize = 1 << 10;
/// What is shown of it.
const SHOWN: usize = 256;

/// One line for each frame, innermost first.
pub(super) fn place(backtrace: &WasmBacktrace) -> String {
    let mut text = String::new();
    for (number, frame) in backtrace.frames().iter().enumerate() {
        let module = frame.module().name().map_or_else(|| "<unknown>".into(), |name| harmless(name, SHOWN));
        let function = frame.func_name().map_or_else(
            || format!("<function {}>", frame.func_index()),
            |name| harmless(&written_out(cut(name, READ)), SHOWN),
        );
        // Writing to a string does not fail.
        let _written = writeln!(text, "{number}: {module}!{function}");
    }
    text
}

/// A Rust name as it was written in the source; any other as it is.
fn written_out(name: &str) -> String {
    let mut shown = Bounded(String::new());
    // What does not fit is cut: writing it out ends there.
    let _cut = write!(shown, "{:#}", rustc_demangle::demangle(name));
    shown.0
}

/// Takes text until it is full.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = SHOWN.saturating_sub(self.0.len());
        self.0.push_str(cut(text, room));
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_out_and_cut_however_long_they_would_become() {
        assert_eq!(
            written_out("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
            "core::fmt::Write::write_fmt"
        );
        assert_eq!(written_out("_Z1f1AIiiE"), "_Z1f1AIiiE", "not Rust");
        // Each tuple holds the one before twice: 2^40 names.
        let tuples = |depth: u32| (0..depth).fold("RNvC1a1bIB".to_owned(), |name, _| format!("T{name}B2_E"));
        assert!(written_out(&format!("_R{}", tuples(40))).len() <= SHOWN);
        assert_eq!(written_out(&"x".repeat(10_000)).len(), SHOWN);
    }
}

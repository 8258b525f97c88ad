//! How large a pattern is: how many states are looked at for each byte of a text, at the worst.

use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson::{Compiler, NFA, WhichCaptures};

/// The most bytes that a pattern compiles to.
pub(super) const MAX_PATTERN_BYTES: usize = 256 << 10;
/// A pattern whose states can be told apart beforehand within so many bytes is always in one of them at a time: the
/// validator has twice the room to find them while it matches. Otherwise it may be in all of its states at once.
const MAX_TABLE_BYTES: usize = MAX_PATTERN_BYTES / 2;

/// The states of a pattern that are looked at for each byte, or why it is not taken.
pub(super) fn states_of(pattern: &str) -> Result<u64, String> {
    let refused = |why: &str| {
        let shown = crate::job::cut(pattern, 200);
        Err(format!("the pattern {shown:?} is not supported: {why}"))
    };
    // As the validator reads it.
    let Ok(translated) = jsonschema_regex::to_rust_regex(pattern) else {
        return refused("write it without look-around and back-references");
    };
    let config = NFA::config().nfa_size_limit(Some(MAX_PATTERN_BYTES)).which_captures(WhichCaptures::None);
    match Compiler::new().configure(config).build(&translated) {
        Ok(automaton) if is_in_one_state_at_a_time(&automaton) => Ok(1),
        Ok(automaton) => Ok(automaton.states().len() as u64),
        Err(error) if error.size_limit().is_some() => {
            refused(&format!("it compiles to more than {MAX_PATTERN_BYTES} bytes; repeat less"))
        }
        Err(_) => refused("write it without look-around and back-references"),
    }
}

fn is_in_one_state_at_a_time(automaton: &NFA) -> bool {
    let config = dense::Config::new()
        .start_kind(StartKind::Unanchored)
        .dfa_size_limit(Some(MAX_TABLE_BYTES))
        .determinize_size_limit(Some(MAX_TABLE_BYTES));
    dense::Builder::new().configure(config).build_from_nfa(automaton).is_ok()
}

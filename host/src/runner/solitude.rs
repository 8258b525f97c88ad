//! Who of a node's runners wants the node for itself: a last chance runs with nothing else on its node, whichever of
//! them has it. While one waits for that or has it, the others begin no claim.

use std::sync::{Mutex, PoisonError};

/// Which runner wants to be alone, if one does.
#[derive(Debug, Default)]
pub(super) struct Solitude(Mutex<Option<usize>>);

/// Whether a runner may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It may.
    Given,
    /// Another wants the node for itself.
    Refused,
}

impl Solitude {
    /// Asks for the node: one at a time has it.
    pub(super) fn ask(&self, runner: usize) -> Leave {
        let mut alone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *alone.get_or_insert(runner) == runner { Leave::Given } else { Leave::Refused }
    }

    /// Gives it back, and says whether there was something to give.
    pub(super) fn give_back(&self, runner: usize) -> bool {
        let mut alone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        alone.take_if(|by| *by == runner).is_some()
    }

    /// Whether the runner may begin something, as far as the others are concerned.
    pub(super) fn leave(&self, runner: usize) -> Leave {
        let alone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if alone.is_none_or(|by| by == runner) { Leave::Given } else { Leave::Refused }
    }

    /// Begins something that others must see before they take the node for empty, unless another wants it for itself.
    pub(super) fn begin<T>(&self, runner: usize, begin: impl FnOnce() -> T) -> Option<T> {
        let alone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        alone.is_none_or(|by| by == runner).then(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_runner_at_a_time_has_the_node_for_itself_and_meanwhile_no_other_begins_anything() {
        let solitude = Solitude::default();
        assert_eq!(
            (solitude.ask(0), solitude.ask(0), solitude.ask(1)),
            (Leave::Given, Leave::Given, Leave::Refused)
        );
        assert_eq!((solitude.begin(0, || 7), solitude.begin(1, || 7)), (Some(7), None));
        assert!(!solitude.give_back(1) && solitude.give_back(0) && !solitude.give_back(0));
        assert_eq!(
            (solitude.leave(1), solitude.ask(1), solitude.leave(0)),
            (Leave::Given, Leave::Given, Leave::Refused)
        );
    }
}

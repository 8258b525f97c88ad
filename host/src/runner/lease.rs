//! The node's lease as the node itself sees it: counted from before its renewal was sent, on a clock that runs
//! through suspend, and over a while before the database would say so.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Boot, Clock};
use crate::job::NodeId;

/// The right of a node to run what it claimed. On SQLite it has no end.
#[derive(Debug)]
pub struct Lease {
    clock: Clock,
    length: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    node: NodeId,
    renewed: Boot,
}

impl Lease {
    /// A lease that began when the registration was sent. `length` is `None` where no lease is needed.
    pub fn new(clock: Clock, length: Option<Duration>, node: NodeId, sent: Boot) -> Self {
        Self { clock, length, state: Mutex::new(State { node, renewed: sent }) }
    }

    /// The id that the node has now.
    pub fn node(&self) -> NodeId {
        self.state().node
    }

    /// A renewal succeeded that was sent at this point.
    pub fn renewed(&self, sent: Boot) {
        self.change(|state| state.renewed = state.renewed.max(sent));
    }

    /// The node registered anew under another id.
    pub fn registered(&self, node: NodeId, sent: Boot) {
        self.change(|state| *state = State { node, renewed: sent });
    }

    /// Monotonic time since the renewal that counts was sent.
    pub fn age(&self) -> Duration {
        self.clock.boot().since(self.state().renewed)
    }

    /// Whether guests may run.
    pub fn is_held(&self) -> bool {
        self.end().is_none_or(|end| self.clock.boot() < end)
    }

    /// Whether a guest may run that this node claimed under that id: what it held before it was marked lost is no longer
    /// its own, though it has a lease again.
    pub fn is_held_by(&self, node: NodeId) -> bool {
        self.node() == node && self.is_held()
    }

    /// When guests must have stopped: a margin of a quarter of the lease, at most two seconds, before it ends.
    /// `None` if never.
    pub fn end(&self) -> Option<Boot> {
        let length = self.length?;
        let margin = (length / 4).min(Duration::from_secs(2));
        Some(self.state().renewed.after(length - margin))
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Timestamp;

    #[test]
    fn a_lease_ends_a_margin_early_and_counts_from_before_the_renewal_was_sent() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let node = NodeId::mint(clock.now());
        let lease = Lease::new(clock.clone(), Some(Duration::from_secs(15)), node, clock.boot());
        let sent = clock.boot();
        clock.advance(Duration::from_secs(12));
        assert!(lease.is_held());
        lease.renewed(sent);
        clock.advance(Duration::from_secs(1));
        assert!(!lease.is_held(), "15 s less the margin of 2 s after the renewal was sent");
        lease.renewed(clock.boot());
        assert!(lease.is_held());
    }

    #[test]
    fn what_was_claimed_under_an_earlier_id_is_not_covered_by_a_new_lease() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let (before, after) = (NodeId::mint(clock.now()), NodeId::mint(clock.now()));
        let lease = Lease::new(clock.clone(), Some(Duration::from_secs(15)), before, clock.boot());
        assert!(lease.is_held_by(before));
        lease.registered(after, clock.boot());
        assert!(lease.is_held() && lease.is_held_by(after) && !lease.is_held_by(before));
    }

    #[test]
    fn a_lease_on_sqlite_never_ends() {
        let clock = Clock::manual(Timestamp::EPOCH);
        let lease = Lease::new(clock.clone(), None, NodeId::mint(clock.now()), clock.boot());
        clock.advance(Duration::from_secs(1 << 30));
        assert!(lease.is_held());
    }
}

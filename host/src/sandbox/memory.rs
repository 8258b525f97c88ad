//! Guest memory: of the node as a whole, and of one attempt. Counts bytes over all memories and tables together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::ResourceLimiter;

use super::engine::{MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};

/// What a table element takes.
const ELEMENT_BYTES: usize = size_of::<usize>();

/// The memory of all attempts of a node.
#[derive(Debug)]
pub(super) struct GuestMemory {
    limit: u64,
    used: AtomicU64,
}

impl GuestMemory {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0) })
    }

    pub(super) fn in_use(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    fn take(&self, bytes: u64) -> Result<(), NodeFull> {
        let fits = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.map(drop).map_err(|_| NodeFull)
    }
}

/// The node has no memory left for this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the guest memory of this node is spent")]
pub(super) struct NodeFull;

/// The attempt asked for more memory than it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an attempt may have {limit} bytes of memory; this one had {used} and asked for {asked} more")]
pub(super) struct LimitSpent {
    limit: u64,
    used: u64,
    asked: u64,
}

/// The memory of one attempt. What it has is given back when it is dropped, and not before: nothing in WebAssembly
/// ever shrinks. Asking for too much ends the attempt: told "no", most guests only abort with less to say.
#[derive(Debug)]
pub(super) struct Account {
    node: Arc<GuestMemory>,
    limit: u64,
    /// Memories and tables.
    used: u64,
    /// What the host keeps for this attempt; the limit is not about it, the node's memory is.
    kept: u64,
    /// What was taken from the node: at least what is used and kept.
    taken: u64,
    spent: Option<LimitSpent>,
    node_full: Option<NodeFull>,
}

impl Account {
    pub(super) fn new(node: Arc<GuestMemory>, limit: u64) -> Self {
        Self { node, limit, used: 0, kept: 0, taken: 0, spent: None, node_full: None }
    }

    /// Takes the whole limit from the node at once, so that it can't be full later.
    pub(super) fn reserve(&mut self) -> Result<(), NodeFull> {
        self.cover(self.limit)
    }

    /// Counts bytes that the host keeps for this attempt.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), NodeFull> {
        let kept = self.kept.saturating_add(widen(bytes));
        self.cover(self.used.saturating_add(kept))?;
        self.kept = kept;
        Ok(())
    }

    /// The most bytes that memories and tables had: nothing ever shrinks.
    pub(super) fn peak(&self) -> u64 {
        self.used
    }

    /// Whether it was ended because it asked for too much.
    pub(super) fn limit_spent(&self) -> Option<LimitSpent> {
        self.spent
    }

    /// Whether it was ended because the node is full.
    pub(super) fn node_full(&self) -> Option<NodeFull> {
        self.node_full
    }

    fn cover(&mut self, sum: u64) -> Result<(), NodeFull> {
        if let Some(missing) = sum.checked_sub(self.taken) {
            self.node.take(missing).inspect_err(|full| self.node_full = Some(*full))?;
            self.taken = sum;
        }
        Ok(())
    }

    /// Gives it so many bytes more, or ends it.
    fn grow(&mut self, asked: u64) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(asked);
        if used > self.limit {
            return Err(self.end(asked));
        }
        self.cover(used.saturating_add(self.kept))?;
        self.used = used;
        Ok(true)
    }

    fn end(&mut self, asked: u64) -> wasmtime::Error {
        let Self { limit, used, .. } = *self;
        self.spent.insert(LimitSpent { limit, used, asked }).to_owned().into()
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.node.used.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// What was granted is counted even if growing then fails, because a failure is told without saying of what: giving
/// back on a failure that was none of ours would be a way past the limit.
impl ResourceLimiter for Account {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|most| desired > most) {
            return Ok(false);
        }
        self.grow(widen(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|most| desired > most) {
            return Ok(false);
        }
        let bytes = widen(desired.saturating_sub(current).saturating_mul(ELEMENT_BYTES));
        if desired > MAX_TABLE_ELEMENTS {
            return Err(self.end(bytes));
        }
        self.grow(bytes)
    }

    fn instances(&self) -> usize {
        MAX_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MAX_TABLES as usize
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES as usize
    }
}

fn widen(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn account(node: u64, limit: u64) -> (Arc<GuestMemory>, Account) {
        let node = GuestMemory::new(node << 20);
        (node.clone(), Account::new(node, limit << 20))
    }

    #[test]
    fn the_limit_is_over_the_sum_of_all_memories_and_tables() {
        let (node, mut account) = account(100, 10);
        assert!(account.memory_growing(0, 5 * MIB, None).expect("room"));
        assert!(account.memory_growing(0, 4 * MIB, None).expect("room"));
        assert!(account.table_growing(0, 65_536, None).expect("room"));
        assert!(account.memory_growing(4 * MIB, 5 * MIB, None).is_err());
        let used = (9 << 20) + (1 << 19);
        assert_eq!(account.limit_spent(), Some(LimitSpent { limit: 10 << 20, used, asked: 1 << 20 }));
        assert_eq!((account.peak(), account.node_full()), (used, None));
        assert_eq!(node.in_use(), account.peak());
        drop(account);
        assert_eq!(node.in_use(), 0);
    }

    #[test]
    fn a_failure_to_grow_gives_nothing_back() {
        let (node, mut account) = account(100, 10);
        assert!(account.memory_growing(0, 8 * MIB, None).expect("room"));
        account.memory_grow_failed(wasmtime::Error::msg("of something else")).expect("noted");
        assert!(account.memory_growing(0, 8 * MIB, None).is_err());
        assert_eq!(node.in_use(), 8 << 20);
    }

    #[test]
    fn growing_past_what_a_memory_itself_declares_is_an_answer_and_no_limit_of_ours() {
        let (_node, mut account) = account(100, 10);
        assert!(!account.memory_growing(0, 2 * MIB, Some(MIB)).expect("an answer"));
        assert!(!account.table_growing(0, 2, Some(1)).expect("an answer"));
        assert_eq!((account.peak(), account.limit_spent()), (0, None));
        assert!(account.table_growing(0, MAX_TABLE_ELEMENTS + 1, None).is_err());
    }

    #[test]
    fn a_full_node_ends_the_attempt_that_grows_and_a_reservation_can_not_be_taken_away() {
        let (node, mut first) = account(10, 6);
        first.reserve().expect("room");
        let mut second = Account::new(node.clone(), 6 << 20);
        assert!(second.memory_growing(0, 4 * MIB, None).expect("room"));
        assert!(second.memory_growing(4 * MIB, 5 * MIB, None).is_err());
        assert_eq!(second.node_full(), Some(NodeFull));
        assert!(first.memory_growing(0, 6 * MIB, None).expect("reserved"));
        assert_eq!(first.node_full(), None);
        assert_eq!(Account::new(node, 6 << 20).reserve(), Err(NodeFull));
    }

    #[test]
    fn what_the_host_keeps_for_a_guest_counts_against_the_node_and_not_against_the_limit() {
        let (_node, mut account) = account(10, 6);
        account.keep(4 * MIB).expect("room");
        assert!(account.memory_growing(0, 6 * MIB, None).expect("room"));
        assert_eq!(account.keep(1), Err(NodeFull));
    }
}

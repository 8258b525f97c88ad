//! Slots: how many attempts a node and each of its queues have room for. Possession is a type.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::job::Queue;

/// The slots of a node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    concurrency: u32,
    board: Mutex<Board>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Board {
    busy: u32,
    by_queue: HashMap<Queue, u32>,
}

impl Slots {
    /// So many.
    pub fn new(concurrency: u32) -> Self {
        Self(Arc::new(Inner { concurrency, board: Mutex::default(), freed: Notify::new() }))
    }

    /// How many there are.
    pub fn concurrency(&self) -> u32 {
        self.0.concurrency
    }

    /// How many are taken.
    pub fn busy(&self) -> u32 {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner).busy
    }

    /// How many are taken by jobs of the queue.
    pub fn busy_with(&self, queue: &Queue) -> u32 {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner).by_queue.get(queue).copied().unwrap_or(0)
    }

    /// Takes a slot for a job of the queue. Whoever claims asks for no more jobs than are free.
    pub fn take(&self, queue: Queue) -> Slot {
        let mut board = self.0.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.busy += 1;
        *board.by_queue.entry(queue.clone()).or_default() += 1;
        Slot { slots: self.0.clone(), queue }
    }

    /// Waits until a slot was freed; returns at once if one was since the last time. For one waiter.
    pub async fn freed(&self) {
        self.0.freed.notified().await;
    }
}

/// Room for one attempt, until its outcome is durable. Freed on drop.
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Inner>,
    queue: Queue,
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut board = self.slots.board.lock().unwrap_or_else(PoisonError::into_inner);
            board.busy -= 1;
            if let Some(busy) = board.by_queue.get_mut(&self.queue) {
                *busy -= 1;
                if *busy == 0 {
                    board.by_queue.remove(&self.queue);
                }
            }
        }
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slot_is_free_again_when_it_is_dropped_and_whoever_waits_hears_it() {
        let slots = Slots::new(2);
        let mail = Queue::new("mail").expect("valid");
        let slot = slots.take(mail.clone());
        assert_eq!((slots.busy(), slots.busy_with(&mail), slots.busy_with(&Queue::default())), (1, 1, 0));
        drop(slot);
        slots.freed().await;
        assert_eq!((slots.busy(), slots.busy_with(&mail)), (0, 0));
    }
}

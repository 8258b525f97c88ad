//! The fan-out of events.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::mpsc;

use super::Event;

type Recorder = Box<dyn Fn(&Event) + Send + Sync>;
/// Which events a consumer takes.
type Wants = fn(&Event) -> bool;

/// Where events are told. Cheap to clone.
#[derive(Clone, Default)]
pub struct Events(Arc<RwLock<Audience>>);

#[derive(Default)]
struct Audience {
    recorders: Vec<Recorder>,
    consumers: Vec<Seat>,
}

struct Seat {
    wants: Wants,
    sender: mpsc::Sender<Event>,
    dropped: Arc<AtomicU64>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// Tells everyone. Never blocks: a consumer whose queue is full misses the event, and that is counted.
    pub fn emit(&self, event: &Event) {
        let audience = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for recorder in &audience.recorders {
            recorder(event);
        }
        for seat in audience.consumers.iter().filter(|seat| (seat.wants)(event)) {
            if seat.sender.try_send(event.clone()).is_err() {
                seat.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Adds a recorder, called in line for every event: it must be quick and must not panic.
    pub fn record(&self, recorder: impl Fn(&Event) + Send + Sync + 'static) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).recorders.push(Box::new(recorder));
    }

    /// Adds a consumer with a queue of `capacity` events. When it is full, new events are dropped for this consumer,
    /// and counted.
    pub fn subscribe(&self, capacity: usize) -> Consumer {
        self.subscribe_to(|_| true, capacity)
    }

    /// As [`Events::subscribe`], for the events that it wants alone: others take no room in its queue.
    pub fn subscribe_to(&self, wants: Wants, capacity: usize) -> Consumer {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let seat = Seat { wants, sender, dropped: dropped.clone() };
        self.0.write().unwrap_or_else(PoisonError::into_inner).consumers.push(seat);
        Consumer { receiver, dropped }
    }
}

/// One who hears events at its own pace.
#[derive(Debug)]
pub struct Consumer {
    receiver: mpsc::Receiver<Event>,
    dropped: Arc<AtomicU64>,
}

impl Consumer {
    /// The next event; `None` when no more will come.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }

    /// An event that is queued already, if there is one.
    pub fn waiting(&mut self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }

    /// How many events it missed so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_consumer_misses_events_and_counts_them_and_harms_nobody() {
        let events = Events::default();
        let seen = Arc::new(AtomicU64::new(0));
        let counter = seen.clone();
        events.record(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        let mut slow = events.subscribe(2);
        for count in 0..5 {
            events.emit(&Event::JobsPromoted { count });
        }
        assert_eq!(seen.load(Ordering::Relaxed), 5);
        assert_eq!(slow.dropped(), 3);
        assert_eq!(slow.next().await, Some(Event::JobsPromoted { count: 0 }));
    }

    #[tokio::test]
    async fn what_a_consumer_does_not_want_takes_no_room_in_its_queue() {
        let events = Events::default();
        let mut picky = events.subscribe_to(|event| matches!(event, Event::LeaseLost { .. }), 1);
        for count in 0..5 {
            events.emit(&Event::JobsPromoted { count });
        }
        events.emit(&Event::LeaseLost { attempts: 1 });
        assert_eq!((picky.waiting(), picky.dropped()), (Some(Event::LeaseLost { attempts: 1 }), 0));
    }
}

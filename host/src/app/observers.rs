//! Those of the program that a node is part of who hear what happens: in line, or from a queue at their own pace.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::event::{Consumer, Event, Events};
use crate::service::{Importance, Service, ServiceError};

type Heard = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One who hears events in line.
pub(super) type Recorder = Box<dyn Fn(&Event) + Send + Sync>;

/// One with a queue.
pub(super) struct Observer {
    pub(super) name: &'static str,
    pub(super) capacity: usize,
    hear: Arc<dyn Fn(Event) -> Heard + Send + Sync>,
}

impl Observer {
    pub(super) fn new<F>(
        name: &'static str,
        capacity: usize,
        hear: impl Fn(Event) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { name, capacity, hear: Arc::new(move |event| Box::pin(hear(event))) }
    }

    /// The service that hands it its events. After a panic it goes on with the next event.
    pub(super) fn into_service(self, events: &Events) -> Service {
        let Self { name, capacity, hear } = self;
        let consumer = Arc::new(Mutex::new(events.subscribe(capacity)));
        Service::new(name, Importance::Auxiliary, move |token| {
            let (consumer, hear) = (consumer.clone(), hear.clone());
            async move { hand_over(name, &mut *consumer.lock().await, &*hear, &token).await }
        })
    }
}

async fn hand_over(
    name: &'static str,
    consumer: &mut Consumer,
    hear: &(dyn Fn(Event) -> Heard + Send + Sync),
    token: &CancellationToken,
) -> Result<(), ServiceError> {
    let mut dropped = consumer.dropped();
    while let Some(Some(event)) = token.run_until_cancelled(consumer.next()).await {
        hear(event).await;
        if consumer.dropped() > dropped {
            tracing::warn!(observer = name, events = consumer.dropped() - dropped, "an observer fell behind");
            dropped = consumer.dropped();
        }
    }
    while let Some(event) = consumer.waiting() {
        hear(event).await;
    }
    Ok(())
}

/// Registers a recorder. Whoever emits is in the middle of its work: a panic stays with the recorder.
pub(super) fn record(events: &Events, recorder: Recorder) {
    events.record(move |event| {
        if catch_unwind(AssertUnwindSafe(|| recorder(event))).is_err() {
            tracing::error!("a recorder of events panicked");
        }
    });
}

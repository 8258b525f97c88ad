//! The client: enqueues, reads and operates jobs and schedules, from any process. It runs nothing.

mod bulk;
mod enqueue;
mod flags;
mod limits;
mod operate;
mod outbox;
mod read;
mod request_id;
mod retention;
mod schedules;
mod schemas;
mod wait;
mod why;

use std::sync::Arc;
use std::time::Duration;

pub use bulk::BulkError;
pub use flags::QueueStatus;
pub use outbox::Wake;
pub use request_id::{request_id, with_request_id};
pub use wait::Ended;
pub use why::{LastRun, OnNode, Why};

use self::schemas::Schemas;
use crate::clock::Clock;
use crate::event::Events;
use crate::job::{ActionId, AdmitError, LimitError};
use crate::store::{
    self, Database, OpenOptions, SchemaMode, SelectionError, SharedStore, Store, StoreError, Tally,
};
use crate::timing::ScheduleError;

/// What is asked again after a passing error: how long after each try.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];
/// Nothing is asked again after so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What goes wrong for a caller.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The job can't be taken as it is.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// The order can't be given for these jobs.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The database failed or refused in the middle of an order, of which so much was done. To go on, repeat it under the
    /// same id.
    #[error("after {} jobs: {source}", done.changed())]
    Interrupted {
        /// What was done before.
        done: Box<Tally>,
        /// The id of the order.
        action: ActionId,
        /// What went wrong.
        source: StoreError,
    },
    /// The limit can't be kept as it is.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The schedule can't be kept as it is.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The database failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of a client's call.
pub(crate) type Result<T, E = ClientError> = std::result::Result<T, E>;

/// A connection to the jobs. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    store: SharedStore,
    clock: Clock,
    events: Events,
    who: Arc<str>,
    schemas: Arc<Schemas>,
}

impl Client {
    /// Connects to `sqlite:PATH` or `postgres://…`. `who` is kept with every change that this client orders.
    ///
    /// # Errors
    /// When the database does not answer, or its schema does not fit this version.
    pub async fn connect(url: &str, who: &str) -> Result<Self> {
        Self::connect_with(url, who, SchemaMode::Check).await
    }

    /// As [`Client::connect`], and says what is to be done about a schema that is missing or old.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect_with(url: &str, who: &str, schema: SchemaMode) -> Result<Self> {
        let clock = match store::database_of(url)? {
            Database::Sqlite => Clock::system(),
            Database::Postgres => Clock::anchored(),
        };
        let options = OpenOptions { schema, ..OpenOptions::new(clock.clone()) };
        let store = store::open(url, &options).await?;
        let database = store.time().await?;
        clock.anchor(database, clock.boot());
        Ok(Self::over(store, who))
    }

    /// A client over a store that is open already, with its clock; those whom the store tells of what happens hear of
    /// what this client enqueues too.
    pub fn over(store: SharedStore, who: &str) -> Self {
        let OpenOptions { clock, events, .. } = store.options().clone();
        Self { store, clock, events, who: who.into(), schemas: Arc::default() }
    }

    /// The store beneath.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The clock that the database's times are compared with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Tells other processes what is still to be told, and closes the connections, of all clones. Not to be called on a
    /// client over the store of a node that runs on.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// Asks again, with the same ids, when the answer was lost or the database was away for a moment.
    async fn repeated<T, F>(&self, ask: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = store::Result<T>>,
    {
        let give_up = self.clock.boot().after(PATIENCE);
        let mut delays = PAUSES.into_iter();
        loop {
            match (ask().await, delays.next()) {
                (Err(error), Some(delay)) if error.is_passing() && self.clock.boot() < give_up => {
                    tracing::debug!(%error, "asking again");
                    self.clock.sleep(delay).await;
                }
                (answer, _) => return Ok(answer?),
            }
        }
    }
}

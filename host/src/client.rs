//! The client: enqueues, reads and operates jobs, from any process. It runs nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::event::{Event, Events};
use crate::job::{ActionId, AdmitError, InsertOpts, JobId, JobRecord, LogRecord, NewJob, RunId, RunRecord};
use crate::store::{
    self, CancelAnswer, Database, Inserted, JobFilter, KindRecord, NodeRecord, OpenOptions, Order, Overview,
    RetryAnswer, SchemaMode, SharedStore, Store, StoreError,
};

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
        let store = store::open(url, &OpenOptions { schema, ..OpenOptions::new(clock.clone()) }).await?;
        let database = store.time().await?;
        clock.anchor(database, clock.boot());
        Ok(Self::over(store, clock, Events::default(), who))
    }

    /// A client over a store that is open already: how an embedded node's program enqueues.
    pub fn over(store: SharedStore, clock: Clock, events: Events, who: &str) -> Self {
        Self { store, clock, events, who: who.into() }
    }

    /// The store beneath.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The clock that the database's times are compared with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Enqueues one job, under an id that is minted here.
    ///
    /// # Errors
    /// [`ClientError::Admit`] names the field that can't be taken. After a [`ClientError::Store`] the job may be there:
    /// to be able to ask again, use [`Client::enqueue_as`].
    pub async fn enqueue(&self, opts: InsertOpts) -> Result<Inserted> {
        self.enqueue_as(JobId::mint(self.clock.now()), opts).await
    }

    /// Enqueues one job under an id that the caller minted. Repeated with the same id, it is the same job.
    ///
    /// # Errors
    /// As [`Client::enqueue`].
    pub async fn enqueue_as(&self, id: JobId, opts: InsertOpts) -> Result<Inserted> {
        let inserted = self.enqueue_many(vec![(id, opts)]).await?;
        // One job in, one answer out: the store answers in input order.
        Ok(inserted.into_iter().next().unwrap_or(Inserted::New(id)))
    }

    /// Enqueues jobs under ids that the caller minted; answers in input order. Repeated with the same ids, it is the
    /// same jobs.
    ///
    /// # Errors
    /// [`ClientError::Admit`] if any of them can't be taken: then none is.
    pub async fn enqueue_many(&self, jobs: Vec<(JobId, InsertOpts)>) -> Result<Vec<Inserted>> {
        let now = self.clock.now();
        let jobs: Vec<NewJob> =
            jobs.into_iter().map(|(id, opts)| opts.admit(id, now)).collect::<Result<_, AdmitError>>()?;
        let inserted = self.repeated(async || self.store.insert(&jobs).await).await?;
        for (job, inserted) in jobs.into_iter().zip(&inserted) {
            let duplicate = matches!(inserted, Inserted::Duplicate(_));
            let NewJob { kind, queue, .. } = job;
            self.events.emit(&Event::JobEnqueued { job: inserted.id(), kind, queue, duplicate });
        }
        Ok(inserted)
    }

    /// Cancels jobs: those that wait at once, those that run by their node. Answers in input order.
    ///
    /// # Errors
    /// When the database fails. The order may have been carried out: to be able to ask again, use
    /// [`Client::cancel_as`].
    pub async fn cancel(&self, jobs: &[JobId]) -> Result<Vec<CancelAnswer>> {
        self.cancel_as(ActionId::mint(self.clock.now()), jobs).await
    }

    /// As [`Client::cancel`], under an id that the caller minted. Repeated with the same id, it is the same order, and
    /// answers what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancel_as(&self, action: ActionId, jobs: &[JobId]) -> Result<Vec<CancelAnswer>> {
        let order = self.order(action);
        self.repeated(async || self.store.cancel(&order, jobs, self.clock.now()).await).await
    }

    /// Makes jobs available again, with their failures forgotten. Answers in input order.
    ///
    /// # Errors
    /// When the database fails. The order may have been carried out: to be able to ask again, use
    /// [`Client::retry_as`].
    pub async fn retry(&self, jobs: &[JobId]) -> Result<Vec<RetryAnswer>> {
        self.retry_as(ActionId::mint(self.clock.now()), jobs).await
    }

    /// As [`Client::retry`], under an id that the caller minted. Repeated with the same id, it is the same order, and
    /// answers what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry_as(&self, action: ActionId, jobs: &[JobId]) -> Result<Vec<RetryAnswer>> {
        let order = self.order(action);
        self.repeated(async || self.store.retry(&order, jobs, self.clock.now()).await).await
    }

    /// One job.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn job(&self, id: JobId) -> Result<Option<JobRecord>> {
        Ok(self.store.job(id).await?)
    }

    /// Its runs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn runs(&self, job: JobId) -> Result<Vec<RunRecord>> {
        Ok(self.store.runs(job).await?)
    }

    /// The log of one run, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn log(&self, run: RunId) -> Result<Vec<LogRecord>> {
        Ok(self.store.log(run).await?)
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<JobRecord>> {
        Ok(self.store.list(filter).await?)
    }

    /// How things stand.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(&self) -> Result<Overview> {
        Ok(self.store.overview(self.clock.now()).await?)
    }

    /// The nodes, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nodes(&self) -> Result<Vec<NodeRecord>> {
        Ok(self.store.nodes().await?)
    }

    /// The kinds that nodes have published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kinds(&self) -> Result<Vec<KindRecord>> {
        Ok(self.store.kinds().await?)
    }

    /// Tells other processes what is still to be told, and closes the connections, of all clones. Not to be called on a
    /// client over the store of a node that runs on.
    pub async fn close(&self) {
        self.store.close().await;
    }

    fn order(&self, action: ActionId) -> Order {
        Order { action, who: self.who.to_string() }
    }

    /// Asks again, with the same ids, when the answer was lost or the database was away for a moment.
    async fn repeated<T>(&self, ask: impl AsyncFn() -> store::Result<T>) -> Result<T> {
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

//! The one writer of a SQLite file: a task that carries out verbs in the order in which they were asked.
//!
//! Verbs that wait together are committed together, each inside a savepoint of its own, so that many small writers
//! share one wait for the disk. Between transactions the task looks whether another process has written, and rings.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::session::SqliteSession;
use super::wal::{Trim, Wal};
use crate::store::dialect::{Outcome, Session, Turns, Work};
use crate::store::fault::Fault;
use crate::wake::{Bell, Line};
use sqlx::{Connection as _, SqliteConnection};

/// Verbs that may wait for the writer; one more waits for room.
const QUEUE: usize = 256;
/// Verbs that are committed together at most.
const GROUP: usize = 64;
/// How often the writer looks whether another process has written. A worker that is cancelled has 200 ms to end by
/// itself and is stopped within 250 of the cancel: what is noticed late is taken from the difference.
const LOOK: Duration = Duration::from_millis(25);

/// A verb's work; answers whether it is to be kept.
type Run = Box<dyn for<'s> FnOnce(&'s mut dyn Session) -> BoxFuture<'s, bool> + Send>;

/// So many looks for what others wrote to one at the size of the log: a quarter of a second.
const LOOKS: u32 = 10;

struct Order {
    run: Run,
    /// Told when the work is durable, or was given up.
    done: oneshot::Sender<Outcome<()>>,
}

/// The way to the writer.
pub(super) struct Writer {
    orders: Mutex<Option<mpsc::Sender<Order>>>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Whatever another process writes from here on is noticed.
    pub(super) async fn start(
        mut connection: SqliteConnection,
        sent: Arc<AtomicU64>,
        bell: Bell,
        wal: Wal,
    ) -> sqlx::Result<Self> {
        let (orders, queue) = mpsc::channel(QUEUE);
        let version = data_version(&mut connection).await?;
        let task =
            tokio::spawn(Desk { connection, sent, bell, version, wal, until_trim: LOOKS }.serve(queue));
        Ok(Self { orders: Mutex::new(Some(orders)), task: tokio::sync::Mutex::new(Some(task)) })
    }

    /// Has work done in a transaction. Once ordered it is carried out, whether or not the caller still waits.
    pub(super) async fn order<T: Send + 'static>(&self, work: impl Work<T>) -> Outcome<T> {
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        let run: Run = Box::new(move |session| {
            Box::pin(async move {
                let result = work(session).await;
                let keep = result.is_ok();
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                keep
            })
        });
        let (done, committed) = oneshot::channel();
        let orders = self.orders().clone().ok_or(sqlx::Error::PoolClosed)?;
        orders.send(Order { run, done }).await.map_err(|_| sqlx::Error::PoolClosed)?;
        drop(orders);
        committed.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
        let result = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        result.unwrap_or(Err(Fault::Database(sqlx::Error::WorkerCrashed)))
    }

    /// Carries out what was ordered, and closes the file.
    pub(super) async fn close(&self) {
        self.orders().take();
        if let Some(task) = self.task.lock().await.take() {
            // A writer that panicked has nothing left to close.
            let _ended = task.await;
        }
    }

    fn orders(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Order>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Desk {
    connection: SqliteConnection,
    sent: Arc<AtomicU64>,
    bell: Bell,
    /// The data version that was seen last.
    version: i64,
    wal: Wal,
    /// Looks until the log's size is looked at.
    until_trim: u32,
}

impl Desk {
    async fn serve(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = queue.recv() => {
                    let Some(order) = order else { break };
                    let mut group = vec![order];
                    while group.len() < GROUP && let Ok(order) = queue.try_recv() {
                        group.push(order);
                    }
                    match group.pop() {
                        Some(order) if group.is_empty() => self.commit_alone(order).await,
                        Some(order) => {
                            group.push(order);
                            self.commit_together(group).await;
                        }
                        None => {}
                    }
                }
                _ = look.tick() => {
                    self.look().await;
                    self.trim().await;
                }
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "could not close the SQLite file in order");
        }
    }

    async fn look(&mut self) {
        let version = match data_version(&mut self.connection).await {
            Ok(version) => version,
            Err(error) => return tracing::warn!(%error, "could not see whether another process has written"),
        };
        if std::mem::replace(&mut self.version, version) != version {
            for line in Line::ALL {
                self.bell.ring(line);
            }
        }
    }

    /// Begins the log anew if it has grown, now and then.
    async fn trim(&mut self) {
        self.until_trim = self.until_trim.saturating_sub(1);
        if self.until_trim == 0 {
            self.until_trim = match self.wal.trim(&mut self.connection).await {
                Trim::Done => LOOKS,
                Trim::Later => 4 * LOOKS,
            };
        }
    }

    /// One verb in a transaction of its own.
    async fn commit_alone(&mut self, Order { run, done }: Order) {
        let mut ended = self.run("BEGIN IMMEDIATE").await;
        let begun = ended.is_ok();
        if begun {
            if self.carry_out(run).await {
                ended = self.run("COMMIT").await;
            } else {
                // The caller learns why from its own work. SQLite may have rolled back by itself, as on a full disk.
                let _rolled_back = self.run("ROLLBACK").await;
            }
        }
        if begun && ended.is_err() {
            let _rolled_back = self.run("ROLLBACK").await;
        }
        // A caller that went away needs no answer.
        let _told = done.send(ended.map_err(Fault::Database));
    }

    /// Several verbs in one transaction: each is kept or undone by itself, and all are durable together.
    async fn commit_together(&mut self, group: Vec<Order>) {
        let mut ended = self.run("BEGIN IMMEDIATE").await;
        let mut waiting = Vec::with_capacity(group.len());
        for Order { run, done } in group {
            waiting.push(done);
            if ended.is_ok() {
                ended = self.carry_out_apart(run).await;
            }
        }
        if ended.is_ok() {
            ended = self.run("COMMIT").await;
        }
        if ended.is_err() {
            // Nothing may stay open, whatever state the failure left; there may be nothing to roll back.
            let _rolled_back = self.run("ROLLBACK").await;
        }
        for done in waiting {
            let _told = done.send(ended.as_ref().map(drop).map_err(|error| Fault::Database(again(error))));
        }
    }

    /// Carries out one verb inside a savepoint. An error is the transaction's, not the verb's.
    async fn carry_out_apart(&mut self, run: Run) -> sqlx::Result<()> {
        self.run("SAVEPOINT verb").await?;
        if !self.carry_out(run).await {
            // Fails if SQLite itself has rolled everything back, as on a full disk: then all of the group are lost.
            self.run("ROLLBACK TO verb").await?;
        }
        self.run("RELEASE verb").await
    }

    /// Whether the verb's work is to be kept; that of one that panicked is not.
    async fn carry_out(&mut self, run: Run) -> bool {
        let mut session =
            SqliteSession { connection: &mut self.connection, sent: &self.sent, turns: Turns::new() };
        AssertUnwindSafe(run(&mut session)).catch_unwind().await.unwrap_or(false)
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        sqlx::query(statement).execute(&mut self.connection).await.map(drop)
    }
}

/// A number that changes when another connection has written.
async fn data_version(connection: &mut SqliteConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar("PRAGMA data_version").fetch_one(connection).await
}

/// The error once more, for another of those that it struck.
fn again(error: &sqlx::Error) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other(error.to_string()))
}

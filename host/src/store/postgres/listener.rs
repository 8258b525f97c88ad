//! Hearing other processes: a connection that listens, proves itself by hearing its own ring, and connects again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::road::Road;
use super::{CHANNEL, announcer, connect};
use crate::store::batch::texts;
use crate::wake::{Bell, Line};
use sqlx::postgres::{PgConnectOptions, PgListener};

/// How long the own ring may take until the connection is held for deaf.
const PROOF: Duration = Duration::from_secs(2);
/// How often a connection that hears nothing proves itself again.
const AGAIN: Duration = Duration::from_secs(15);
/// The shortest and the longest wait before connecting again.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Hears other processes, in the background.
pub(super) struct Listener {
    hears: Arc<AtomicBool>,
    /// Dropped, it stops the task too.
    stop: watch::Sender<bool>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    pub(super) fn start(
        target: PgConnectOptions,
        road: Road,
        notify: &'static str,
        voice: Arc<str>,
        bell: Bell,
    ) -> Self {
        let hears = Arc::new(AtomicBool::new(false));
        let stop = watch::Sender::new(false);
        let ear = Ear { target, road, notify, voice, bell, hears: Arc::clone(&hears) };
        let mut stopped = stop.subscribe();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = ear.listen_for_ever() => {}
                () = announcer::told(&mut stopped) => {}
            }
            ear.hears.store(false, Ordering::Relaxed);
        });
        Self { hears, stop, task: tokio::sync::Mutex::new(Some(task)) }
    }

    pub(super) fn hears(&self) -> bool {
        self.hears.load(Ordering::Relaxed)
    }

    pub(super) async fn close(&self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.lock().await.take() {
            let _ended = task.await;
        }
    }
}

struct Ear {
    target: PgConnectOptions,
    road: Road,
    notify: &'static str,
    voice: Arc<str>,
    bell: Bell,
    hears: Arc<AtomicBool>,
}

impl Ear {
    async fn listen_for_ever(&self) {
        let mut wait = WAITS.0;
        loop {
            if let Err(error) = self.listen(&mut wait).await {
                tracing::debug!(%error, "the listener lost its connection");
            }
            if self.hears.swap(false, Ordering::Relaxed) {
                tracing::warn!("other processes are not heard any more; polling until they are");
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAITS.1);
        }
    }

    /// One connection, until it is lost or deaf.
    async fn listen(&self, wait: &mut Duration) -> sqlx::Result<()> {
        // A pool for each: one whose connection went deaf would wait for it before it made another.
        let mut listener = PgListener::connect_with(&connect::listening(&self.target)).await?;
        // A connection that was lost means that rings were: that must show.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        let proof = format!("{} hear", self.voice);
        let mut proven = false;
        loop {
            self.ring_ourselves(&proof);
            let deadline = tokio::time::sleep(PROOF);
            if !self.hear(&mut listener, &proof, deadline, &mut proven).await? {
                return Ok(());
            }
            *wait = WAITS.0;
            let quiet = tokio::time::sleep(AGAIN);
            // Until it is time to prove itself again, nothing in particular is waited for.
            self.hear(&mut listener, "", quiet, &mut proven).await?;
        }
    }

    /// Hears what comes until the time is up, or `proof` was heard; answers whether it was.
    async fn hear(
        &self,
        listener: &mut PgListener,
        proof: &str,
        until: tokio::time::Sleep,
        proven: &mut bool,
    ) -> sqlx::Result<bool> {
        tokio::pin!(until);
        loop {
            let heard = tokio::select! {
                heard = listener.try_recv() => heard?,
                () = &mut until => return Ok(false),
            };
            let Some(heard) = heard else { return Err(sqlx::Error::PoolClosed) };
            if heard.payload() == proof {
                self.prove(proven);
                return Ok(true);
            }
            if let Some(line) = announcer::heard(&self.voice, heard.payload()) {
                self.bell.ring(line);
            }
        }
    }

    fn prove(&self, proven: &mut bool) {
        self.hears.store(true, Ordering::Relaxed);
        if !std::mem::replace(proven, true) {
            // Whatever was rung before this connection listened.
            for line in Line::ALL {
                self.bell.ring(line);
            }
        }
    }

    fn ring_ourselves(&self, proof: &str) {
        let (road, notify, rings) = (self.road.clone(), self.notify, texts([proof]));
        tokio::spawn(async move {
            if let Err(fault) = road.run(notify, vec![rings.into()]).await {
                tracing::debug!(error = %fault.told("proving the listener"), "the listener is not proven");
            }
        });
    }
}

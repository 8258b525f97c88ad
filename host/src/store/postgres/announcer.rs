//! Telling other processes: NOTIFY after the commit, what comes within two milliseconds together. (A cancel does not
//! wait: its NOTIFY stands in its own transaction.)

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::road::Road;
use crate::job::Timestamp;
use crate::store::batch::texts;
use crate::store::dialect::Ring;
use crate::wake::Line;

/// How long rings are gathered.
const GATHER: Duration = Duration::from_millis(2);

/// What is still to be told. A set, not a queue: a second ring of a line says nothing new.
#[derive(Debug, Default)]
struct Pending {
    work: bool,
    due: Option<Timestamp>,
    schedule: bool,
}

/// Tells other processes, in the background.
pub(super) struct Announcer {
    pending: Arc<Mutex<Pending>>,
    woken: Arc<Notify>,
    /// Dropped, it stops the task too.
    stop: watch::Sender<bool>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Announcer {
    pub(super) fn start(road: Road, notify: &'static str, voice: Arc<str>) -> Self {
        let (pending, woken) = (Arc::<Mutex<Pending>>::default(), Arc::<Notify>::default());
        let stop = watch::Sender::new(false);
        let tell = tell(road, notify, voice, Arc::clone(&pending), Arc::clone(&woken), stop.subscribe());
        let task = tokio::spawn(tell);
        Self { pending, woken, stop, task: tokio::sync::Mutex::new(Some(task)) }
    }

    pub(super) fn announce(&self, ring: Ring) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match ring {
            Ring::Work => pending.work = true,
            Ring::Due(at) => pending.due = pending.due.into_iter().chain([at]).min(),
            Ring::Lines => pending.due = Some(Timestamp::EPOCH),
            Ring::Schedule => pending.schedule = true,
        }
        drop(pending);
        self.woken.notify_one();
    }

    /// Tells what is left.
    pub(super) async fn close(&self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.lock().await.take() {
            let _ended = task.await;
        }
    }
}

async fn tell(
    road: Road,
    notify: &'static str,
    voice: Arc<str>,
    pending: Arc<Mutex<Pending>>,
    woken: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let stopping = tokio::select! {
            () = woken.notified() => {
                tokio::time::sleep(GATHER).await;
                false
            }
            () = told(&mut stop) => true,
        };
        let rings = std::mem::take(&mut *pending.lock().unwrap_or_else(PoisonError::into_inner));
        let payloads = payloads(&voice, &rings);
        if !payloads.is_empty()
            && let Err(fault) = road.run(notify, vec![texts(payloads).into()]).await
        {
            // Others poll.
            tracing::debug!(error = %fault.told("ringing in other processes"), "a ring was lost");
        }
        if stopping {
            return;
        }
    }
}

/// Until it is told to stop, or nobody is left who could.
pub(super) async fn told(stop: &mut watch::Receiver<bool>) {
    let _told = stop.wait_for(|told| *told).await.is_ok();
}

fn payloads(voice: &str, rings: &Pending) -> Vec<String> {
    let lines =
        [(rings.work, Line::Work), (rings.due.is_some(), Line::Due), (rings.schedule, Line::Schedule)];
    lines.into_iter().filter(|(rung, _)| *rung).map(|(_, line)| payload(voice, line)).collect()
}

/// What is sent: who rings, and which line.
pub(super) fn payload(voice: &str, line: Line) -> String {
    format!("{voice} {}", word(line))
}

/// Reads a payload of another process; nothing if it is our own, or of no line that we know.
pub(super) fn heard(voice: &str, payload: &str) -> Option<Line> {
    let (who, said) = payload.split_once(' ')?;
    let line = Line::ALL.into_iter().find(|line| word(*line) == said)?;
    (who != voice).then_some(line)
}

const fn word(line: Line) -> &'static str {
    match line {
        Line::Work => "work",
        Line::Cancel => "cancel",
        Line::Due => "due",
        Line::Schedule => "schedule",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_heard_by_others_and_not_by_who_rang() {
        for line in Line::ALL {
            assert_eq!(heard("b", &payload("a", line)), Some(line));
            assert_eq!(heard("a", &payload("a", line)), None);
        }
        assert_eq!(heard("b", "a party"), None);
    }

    #[test]
    fn rings_of_a_line_are_told_once() {
        let rings = Pending { work: true, due: Some(Timestamp::EPOCH), schedule: true };
        assert_eq!(payloads("a", &rings), ["a work", "a due", "a schedule"]);
    }
}

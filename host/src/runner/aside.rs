//! Outcomes that were set aside, because they were too long in being stored, or can't be stored at all: in parts that
//! are halved until whatever is in the way stands alone. It waits for its time, the others do not wait for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::finalizer::RETRY;
use super::outcomes::Decided;
use crate::clock::{Boot, Clock};
use crate::store::StoreError;

/// Parts that wait, each until it is due. Every outcome in them holds a slot, so there are never more than those.
#[derive(Default)]
pub(super) struct Aside {
    desk: Mutex<Desk>,
    changed: Notify,
}

#[derive(Default)]
struct Desk {
    waiting: Vec<(Boot, Part)>,
    no_more: bool,
}

/// Outcomes that are offered together.
pub(super) struct Part {
    pub(super) outcomes: Vec<Decided>,
    /// How long it waits when it is refused again.
    delay: Duration,
}

/// What is done about a part that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// Its halves are offered, each by itself.
    Halved,
    /// It is offered as it is, later.
    Later,
    /// It can't be stored, now or ever.
    Never,
}

impl Again {
    fn of(error: &StoreError, outcomes: usize) -> Self {
        match (error.is_passing(), error.took_too_long(), outcomes) {
            (true, false, _) => Self::Later,
            (true, true, 0 | 1) => Self::Later,
            (false, _, 0 | 1) => Self::Never,
            (true, true, _) | (false, _, _) => Self::Halved,
        }
    }
}

impl Part {
    pub(super) fn new(outcomes: Vec<Decided>) -> Self {
        Self { outcomes, delay: RETRY.0 }
    }

    /// What was refused of this part.
    pub(super) fn with(&self, outcomes: Vec<Decided>) -> Self {
        Self { outcomes, delay: self.delay }
    }
}

impl Aside {
    /// Takes a part that was refused now, for this reason. What can never be stored is given up: its attempts are held
    /// no more, and the next renewal gives their jobs back.
    pub(super) fn take(&self, mut part: Part, error: &StoreError, now: Boot) {
        match Again::of(error, part.outcomes.len()) {
            Again::Halved => {
                let second = part.outcomes.split_off(part.outcomes.len() / 2);
                self.desk().waiting.extend([(now, part.with(second)), (now, part)]);
            }
            Again::Later => {
                let due = now.after(part.delay);
                part.delay = (part.delay * 2).min(RETRY.1);
                self.desk().waiting.push((due, part));
            }
            Again::Never => {
                for Decided { settlement, .. } in &part.outcomes {
                    let (job_id, run_id) = (settlement.job, settlement.run);
                    tracing::error!(%job_id, %run_id, %error, "an outcome can't be stored; its job will run again");
                }
            }
        }
        self.changed.notify_one();
    }

    /// Waits for the part that is due first. `None` when there is none, and none can come.
    pub(super) async fn next_due(&self, clock: &Clock) -> Option<Part> {
        loop {
            let due = {
                let mut desk = self.desk();
                let first = desk.waiting.iter().enumerate().min_by_key(|(_, (due, _))| *due);
                match first.map(|(at, (due, _))| (at, *due)) {
                    Some((at, due)) if due <= clock.boot() => return Some(desk.waiting.swap_remove(at).1),
                    Some((_, due)) => Some(due),
                    None if desk.no_more => return None,
                    None => None,
                }
            };
            let is_due = async {
                match due {
                    Some(due) => clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = is_due => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Nothing is set aside from now on but what is here already.
    pub(super) fn no_more_comes(&self) {
        self.desk().no_more = true;
        self.changed.notify_one();
    }

    /// Everything that waits.
    pub(super) fn take_all(&self) -> Vec<Decided> {
        std::mem::take(&mut self.desk().waiting).into_iter().flat_map(|(_, part)| part.outcomes).collect()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_isolated_and_only_what_can_never_be_stored_is_given_up() {
        let late = StoreError::TimedOut { doing: "storing", after: Duration::ZERO };
        let away = StoreError::Unavailable { doing: "storing", source: sqlx::Error::PoolTimedOut };
        let refused = StoreError::Refused { doing: "storing", source: sqlx::Error::RowNotFound };
        for (error, together, alone) in [
            (late, Again::Halved, Again::Later),
            (away, Again::Later, Again::Later),
            (refused, Again::Halved, Again::Never),
        ] {
            assert_eq!((Again::of(&error, 256), Again::of(&error, 2)), (together, together), "{error}");
            assert_eq!(Again::of(&error, 1), alone, "{error}");
        }
    }
}

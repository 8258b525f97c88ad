//! The last checkpoint of each running attempt, stored once a second. What an attempt saved last is stored with its end,
//! so what is lost here is lost to nobody but a node that dies.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Runners;
use crate::job::RunId;
use crate::service::ServiceError;
use crate::store::CheckpointSave;

/// How often checkpoints are stored.
const EVERY: Duration = Duration::from_secs(1);

/// Checkpoints that are not stored yet: one for each attempt, the last one wins.
#[derive(Debug, Default)]
pub(super) struct CheckpointBoard(Mutex<HashMap<RunId, CheckpointSave>>);

impl CheckpointBoard {
    pub(super) fn note(&self, save: CheckpointSave) {
        self.board().insert(save.run, save);
    }

    /// The attempt has ended: its last checkpoint goes with its outcome.
    pub(super) fn forget(&self, run: RunId) {
        self.board().remove(&run);
    }

    /// One after the other, so that no more than one is held beside those of the attempts.
    fn take_of(&self, run: RunId) -> Option<CheckpointSave> {
        self.board().remove(&run)
    }

    /// What could not be stored is offered again, unless a newer one has come; one whose attempt has ended meanwhile
    /// is refused by its fence.
    fn give_back(&self, save: CheckpointSave) {
        self.board().entry(save.run).or_insert(save);
    }

    fn runs(&self) -> Vec<RunId> {
        self.board().keys().copied().collect()
    }

    fn board(&self) -> MutexGuard<'_, HashMap<RunId, CheckpointSave>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runners {
    /// The service that stores checkpoints.
    pub async fn store_checkpoints(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        while token.run_until_cancelled(context.clock.sleep(EVERY)).await.is_some() {
            for run in context.checkpoints.runs() {
                let Some(save) = context.checkpoints.take_of(run) else { continue };
                let saved = context.store.save_checkpoint(&save, context.clock.now()).await;
                if let Err(error) = saved {
                    tracing::debug!(%error, run_id = %run, "a checkpoint was not stored, and is offered again");
                    if context.held.runs(run) {
                        context.checkpoints.give_back(save);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobId, Timestamp};

    #[test]
    fn the_last_checkpoint_wins_also_over_one_that_could_not_be_stored() {
        let (board, now) = (CheckpointBoard::default(), Timestamp::EPOCH);
        let (run, job) = (RunId::mint(now), JobId::mint(now));
        let save = |n: u8| CheckpointSave { job, run, number: n.into(), data: [n].into() };
        board.note(save(1));
        let refused = board.take_of(run).expect("noted");
        board.note(save(2));
        board.give_back(refused);
        assert_eq!(board.take_of(run), Some(save(2)));
        board.note(save(3));
        board.forget(run);
        assert_eq!(board.runs(), []);
    }
}

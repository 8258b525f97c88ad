//! Waiting for a job to end.

use std::time::Duration;

use super::{Client, Result};
use crate::job::{JobId, JobRecord, JobState, Json, Outcome, RunRecord};
use crate::wake::Line;

/// How soon to look again at first, and at last: every look is the read of one word by its key.
const FIRST: Duration = Duration::from_millis(5);
const LAST: Duration = Duration::from_millis(500);

/// A job that has ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The job, in a terminal state.
    pub job: JobRecord,
    /// Its last attempt; one that was cancelled before it ran has none.
    pub run: Option<RunRecord>,
}

impl Ended {
    /// What its worker returned, if it succeeded and there was something.
    pub fn output(&self) -> Option<&Json> {
        let run = self.run.as_ref()?;
        run.output
            .as_ref()
            .filter(|_| self.job.state == JobState::Succeeded && run.outcome == Outcome::Success)
    }
}

impl Client {
    /// Waits until a job has ended, for as long as that takes: bound it with a timeout of your own, and drop it freely.
    /// `None` if there is no such job, or no more.
    ///
    /// # Errors
    /// When the database fails, and goes on failing.
    pub async fn wait(&self, job: JobId) -> Result<Option<Ended>> {
        let mut changed = self.store.bell().listen(Line::Work);
        let mut pause = FIRST;
        loop {
            match self.repeated(|| self.store.state(job)).await? {
                None => return Ok(None),
                Some(state) if state.is_terminal() => return self.ended(job).await,
                Some(_) => {}
            }
            self.clock.sleep(FIRST).await;
            // A ring is a hint that something happened, at once or in another process.
            tokio::select! {
                () = changed.heard() => {}
                () = self.clock.sleep(pause) => pause = (pause * 2).min(LAST),
            }
        }
    }

    async fn ended(&self, id: JobId) -> Result<Option<Ended>> {
        let Some(job) = self.job(id).await? else { return Ok(None) };
        let run = self.runs(id).await?.into_iter().next();
        Ok(Some(Ended { job, run }))
    }
}

//! Checkpoints: kept while an attempt runs and when it ends, read by the next one, dropped when the job succeeds.

use std::sync::Arc;

use crate::job::{CheckpointEnd, JobId, RunId, Timestamp};
use crate::store::dialect::{Dialect, Outcome as Done, Session};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{CheckpointSave, Result};

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn keep_checkpoint(
        &self,
        save: &CheckpointSave,
        now: Timestamp,
    ) -> Result<()> {
        let statement = self.db.statements().checkpoint_save;
        let number = i64::try_from(save.number).unwrap_or(i64::MAX);
        let data = Arc::clone(&save.data);
        let values = vec![save.job.into(), save.run.into(), number.into(), data.into(), now.into()];
        let work = self.db.alone(move |s| Box::pin(async move { s.run(statement, values).await.map(drop) }));
        work.await.map_err(|fault| fault.told("keeping a checkpoint"))
    }

    pub(in crate::store) async fn read_checkpoint(&self, job: JobId) -> Result<Option<Arc<[u8]>>> {
        let rows = self.db.read_for_guest(self.db.statements().checkpoint, vec![job.into()]).await;
        let mut rows = rows.map_err(|fault| fault.told("reading a checkpoint"))?;
        rows.first_mut().map(|row| row.bytes("data").map(Into::into)).transpose()
    }
}

/// What becomes of the checkpoints of jobs whose attempts have ended in this transaction.
pub(super) async fn end(
    session: &mut dyn Session,
    statements: &Statements,
    ends: impl IntoIterator<Item = (JobId, RunId, CheckpointEnd)>,
    now: Timestamp,
) -> Done<()> {
    let mut dropped = Vec::new();
    for (job, run, end) in ends {
        match end {
            CheckpointEnd::Left => {}
            CheckpointEnd::Stored(data) => {
                let values = vec![job.into(), run.into(), data.into(), now.into()];
                session.run(statements.checkpoint_end, values).await?;
            }
            CheckpointEnd::Dropped => dropped.push(job),
        }
    }
    if !dropped.is_empty() {
        session.run(statements.checkpoints_drop, vec![dropped.as_slice().into()]).await?;
    }
    Ok(())
}

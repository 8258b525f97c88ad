//! The last progress of each running attempt, stored once a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::job::RunId;
use crate::service::ServiceError;
use crate::store::ProgressReport;

/// How often progress is stored.
const EVERY: Duration = Duration::from_secs(1);

/// Progress that is not stored yet: one report for each attempt, the last one wins.
#[derive(Debug, Default)]
pub(super) struct ProgressBoard(Mutex<HashMap<RunId, (f64, Option<String>)>>);

impl ProgressBoard {
    pub(super) fn note(&self, run: RunId, fraction: f64, note: Option<&str>) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.insert(run, (fraction, note.map(str::to_owned)));
    }

    fn take(&self) -> Vec<ProgressReport> {
        let board = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let report = |(run, (fraction, note))| ProgressReport { run, fraction, note };
        board.into_iter().map(report).collect()
    }
}

impl Runner {
    /// The service that stores progress. A report that could not be stored is dropped: a newer one follows.
    pub async fn store_progress(self, token: CancellationToken) -> Result<(), ServiceError> {
        let Self(context) = self;
        while token.run_until_cancelled(context.clock.sleep(EVERY)).await.is_some() {
            let reports = context.progress.take();
            if reports.is_empty() {
                continue;
            }
            if let Err(error) = context.store.report_progress(&reports, context.clock.now()).await {
                tracing::debug!(%error, "progress was not stored");
            }
        }
        Ok(())
    }
}

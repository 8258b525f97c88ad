//! The last progress of each running attempt, stored once a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Runners;
use super::context::Context;
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
        reports(std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// What these attempts reported since it was stored last.
    fn take_of(&self, runs: impl Iterator<Item = RunId>) -> Vec<ProgressReport> {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if board.is_empty() {
            return Vec::new();
        }
        reports(runs.filter_map(|run| board.remove_entry(&run)))
    }
}

/// In the order of ids, in which every batch locks its rows.
fn reports(of: impl IntoIterator<Item = (RunId, (f64, Option<String>))>) -> Vec<ProgressReport> {
    let report = |(run, (fraction, note))| ProgressReport { run, fraction, note };
    let mut reports: Vec<_> = of.into_iter().map(report).collect();
    reports.sort_unstable_by_key(|report| report.run);
    reports
}

impl Context {
    /// Stores what attempts that have ended reported last: once their outcomes are durable it would come too late. Such
    /// a report is not worth a second try.
    pub(super) async fn store_last_progress(&self, runs: impl Iterator<Item = RunId>) {
        let reports = self.progress.take_of(runs);
        if !reports.is_empty()
            && let Err(error) = self.store.report_progress(&reports, self.clock.now()).await
        {
            tracing::debug!(%error, "the last progress of attempts was not stored");
        }
    }
}

impl Runners {
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

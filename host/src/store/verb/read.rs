//! What is read: jobs, runs, logs, and how things stand.

use std::collections::BTreeMap;

use crate::job::{ChildRecord, JobId, JobRecord, JobState, Kind, RunRecord, Timestamp, cut, visible};
use crate::store::batch::join;
use crate::store::dialect::Dialect;
use crate::store::records::readable;
use crate::store::sql_store::SqlStore;
use crate::store::value::{Row, Value};
use crate::store::verb::find::{Columns, Part};
use crate::store::{
    ChildrenPage, JobFilter, KindRecord, NodeRecord, Overview, Page, ProgressReport, Result, Waiting, records,
};

/// The most jobs of a page.
const PAGE: u32 = 1000;
/// The most children of a page, and the bytes of what they say, but for a single one that says more.
const CHILDREN: u32 = 100;
const CHILDREN_BYTES: i64 = 1 << 20;
/// The most bytes of a progress note.
const NOTE: usize = 1 << 10;

impl<D: Dialect> SqlStore<D> {
    pub(super) async fn ask(
        &self,
        statement: &'static str,
        values: Vec<Value>,
        doing: &'static str,
    ) -> Result<Vec<Row>> {
        self.db.read(statement, values).await.map_err(|fault| fault.told(doing))
    }

    pub(in crate::store) async fn read_job(&self, id: JobId) -> Result<Option<JobRecord>> {
        let rows = self.ask(self.db.statements().job, vec![id.into()], "reading a job").await?;
        rows.into_iter().next().map(records::job).transpose()
    }

    pub(in crate::store) async fn read_runs(&self, job: JobId) -> Result<Vec<RunRecord>> {
        let rows = self.ask(self.db.statements().runs, vec![job.into()], "reading the runs of a job").await?;
        Ok(rows.into_iter().filter_map(|row| readable(records::run(row))).collect())
    }

    pub(in crate::store) async fn read_children(&self, page: &ChildrenPage) -> Result<Vec<ChildRecord>> {
        if page.limit == 0 {
            return Ok(Vec::new());
        }
        let values = vec![
            page.parent.into(),
            page.run.into(),
            page.offset.into(),
            page.limit.min(CHILDREN).into(),
            CHILDREN_BYTES.into(),
        ];
        let rows = self.db.read_for_guest(self.db.statements().continued, values).await;
        let rows = rows.map_err(|fault| fault.told("reading children"))?;
        rows.into_iter().map(records::child).collect()
    }

    pub(in crate::store) async fn read_page(&self, filter: &JobFilter) -> Result<Page> {
        let limit = filter.limit.clamp(1, PAGE) as usize;
        let found = self.find(&filter.selection, Columns::Whole, Part::new(filter.before, limit)).await?;
        let jobs = found.rows.into_iter().filter_map(|row| readable(records::job(row))).collect();
        Ok(Page { jobs, next: found.next })
    }

    pub(in crate::store) async fn read_overview(&self, now: Timestamp) -> Result<Overview> {
        const DOING: &str = "counting jobs";
        let mut states: BTreeMap<JobState, u64> = JobState::ALL.iter().map(|state| (*state, 0)).collect();
        for mut row in self.ask(self.db.statements().counts, Vec::new(), DOING).await? {
            *states.entry(row.word("state")?).or_default() += row.int::<u64>("n")?;
        }
        let lanes = self.ask(self.db.statements().lanes, Vec::new(), DOING).await?;
        let lanes = lanes.into_iter().filter_map(|row| readable(records::lane(row))).collect();
        Ok(Overview { states, lanes, sampled_at: now })
    }

    pub(in crate::store) async fn read_waiting(
        &self,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Waiting>> {
        let values = vec![now.into(), until.into()];
        let rows = self.ask(self.db.statements().waiting, values, "looking for what waits").await?;
        Ok(rows.into_iter().filter_map(|row| readable(records::waiting(row))).collect())
    }

    pub(in crate::store) async fn read_nodes(&self) -> Result<Vec<NodeRecord>> {
        let rows = self.ask(self.db.statements().nodes, Vec::new(), "reading the nodes").await?;
        Ok(rows.into_iter().filter_map(|row| readable(records::node(row))).collect())
    }

    pub(in crate::store) async fn read_state(&self, job: JobId) -> Result<Option<JobState>> {
        let rows =
            self.ask(self.db.statements().state, vec![job.into()], "reading the state of a job").await?;
        rows.into_iter().next().map(|mut row| row.word("state")).transpose()
    }

    pub(in crate::store) async fn read_kind(&self, kind: &Kind) -> Result<Option<KindRecord>> {
        let rows = self.ask(self.db.statements().kind, vec![kind.as_str().into()], "reading a kind").await?;
        rows.into_iter().next().map(records::kind).transpose()
    }

    pub(in crate::store) async fn read_kinds(&self) -> Result<Vec<KindRecord>> {
        let rows = self.ask(self.db.statements().kinds, Vec::new(), "reading the kinds").await?;
        Ok(rows.into_iter().filter_map(|row| readable(records::kind(row))).collect())
    }

    pub(in crate::store) async fn keep_progress(&self, reports: &[ProgressReport]) -> Result<()> {
        if reports.is_empty() {
            return Ok(());
        }
        let item = |report: &ProgressReport| {
            let note = report.note.as_deref().map(|note| visible(cut(note, NOTE)).into_owned());
            // What is no number is no progress.
            let fraction = if report.fraction.is_nan() { 0.0 } else { report.fraction.clamp(0.0, 1.0) };
            let progress = serde_json::json!({ "fraction": fraction, "note": note });
            D::WIRE.item(|fields| {
                fields.id("run", report.run.uuid());
                fields.json("progress", &progress.to_string());
            })
        };
        let batch = join(reports.iter().map(item));
        let statement = self.db.statements().progress;
        let work = self
            .db
            .alone(move |s| Box::pin(async move { s.run(statement, vec![batch.into()]).await.map(drop) }));
        work.await.map_err(|fault| fault.told("keeping progress"))
    }
}

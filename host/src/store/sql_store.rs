//! The one implementation of [`Store`], over any dialect. Each verb is a file of `verb/`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::dialect::{Dialect, Ring};
use super::{
    ActionFilter, ActionRecord, Activity, Ahead, Answer, BatchProgress, CheckpointSave, ChildrenPage,
    ClaimRequest, Claimed, Database, DueSchedule, FailureFilter, FailureRecord, Fired, Flag, FlagSet,
    Flagged, Flags, Footprint, Foreign, Health, Inserted, JobFilter, KindRecord, LimitKept, LimitLine,
    LimitRecord, LimitRemoved, Limits, LimitsReconciled, LogPart, NewNode, NodePolicy, NodeRecord,
    OpenOptions, Order, Overview, Page, ProgressReport, Promoted, PruneStep, Pruned, PublishedKind,
    Reclaimed, Reconciled, Registered, Renewal, Renewed, Result, Retention, ScheduleKept, ScheduleRan,
    ScheduleRemoved, ScheduleSwitched, Schedules, Selection, Settled, SingleOrder, Step, Store, StoreError,
    Survey, Sweep, Swept, Switch, Waiting,
};
use crate::clock::Clock;
use crate::event::Events;
use crate::job::{
    ChildRecord, JobId, JobRecord, JobState, Kind, Limit, LimitName, LogRecord, LossPolicy, NewJob, NodeId,
    Queue, RunId, RunRecord, Settlement, Slug, Timestamp,
};
use crate::timing::{Schedule, ScheduleRecord};
use crate::wake::{Bell, Line};

/// How far a node's time may be from the database's own for what is done by the clock.
const APART: Duration = Duration::from_secs(2);

/// A store on a database.
pub(super) struct SqlStore<D> {
    pub(super) db: Arc<D>,
    pub(super) bell: Bell,
    pub(super) clock: Clock,
    pub(super) events: Events,
    pub(super) max_descendants: u32,
    options: OpenOptions,
    /// When the promoter is known to look again; what becomes due before that rings.
    horizon: AtomicI64,
    /// A caller's transaction has put jobs into lines: when such a one commits, somebody has to look at these.
    pub(super) lines_in_callers_hands: AtomicBool,
}

impl<D: Dialect> SqlStore<D> {
    pub(super) fn new(db: Arc<D>, bell: Bell, options: &OpenOptions) -> Self {
        Self {
            db,
            bell,
            clock: options.clock.clone(),
            events: options.events.clone(),
            max_descendants: options.max_descendants,
            options: options.clone(),
            horizon: AtomicI64::new(i64::MAX),
            lines_in_callers_hands: AtomicBool::new(false),
        }
    }

    /// Rings in this process and in others.
    pub(super) fn ring(&self, ring: Ring) {
        match ring {
            Ring::Work => self.bell.ring(Line::Work),
            Ring::Due(at) => {
                if self.horizon.fetch_min(at.micros(), Ordering::AcqRel) <= at.micros() {
                    // The promoter looks before that as it is.
                    return;
                }
                self.bell.ring(Line::Due);
            }
            // Whoever promotes looks at them too.
            Ring::Lines => self.bell.ring(Line::Due),
            Ring::Schedule => self.bell.ring(Line::Schedule),
        }
        self.db.announce(ring);
    }

    /// Rings for what a job that went to this state waits for.
    pub(super) fn ring_for(&self, moved: impl IntoIterator<Item = (JobState, Option<Timestamp>)>) {
        let (mut work, mut due) = (false, None::<Timestamp>);
        for (state, at) in moved {
            match state {
                JobState::Available => work = true,
                JobState::Scheduled | JobState::Retryable => {
                    due = due.into_iter().chain(at).min();
                }
                JobState::Running
                | JobState::Paused
                | JobState::Succeeded
                | JobState::Cancelled
                | JobState::Discarded => {}
            }
        }
        if work {
            self.ring(Ring::Work);
        }
        if let Some(at) = due {
            self.ring(Ring::Due(at));
        }
    }

    /// Notes when the promoter looks again.
    pub(super) fn next_due(&self, at: Option<Timestamp>) {
        self.horizon.store(at.map_or(i64::MAX, Timestamp::micros), Ordering::Release);
    }

    /// A test's time; without a test, the database's own is meant.
    pub(super) fn test_time(&self, now: Timestamp) -> Option<Timestamp> {
        (self.clock.is_manual() || D::DATABASE == Database::Sqlite).then_some(now)
    }

    /// The time that leases are counted in: the database's own, unless a test owns the clock.
    pub(super) async fn lease_time(&self, now: Timestamp) -> Result<Timestamp> {
        match self.test_time(now) {
            Some(now) => Ok(now),
            None => self.time().await,
        }
    }

    /// Refuses a `now` that is too far from the database's own time, unless a test owns the clock.
    pub(super) async fn check_time(&self, now: Timestamp) -> Result<()> {
        if self.test_time(now).is_some() {
            return Ok(());
        }
        let database = self.time().await?;
        let apart = database.since(now).max(now.since(database));
        if apart > APART { Err(StoreError::Clock { apart }) } else { Ok(()) }
    }
}

#[async_trait]
impl<D: Dialect> Store for SqlStore<D> {
    fn options(&self) -> &OpenOptions {
        &self.options
    }

    fn database(&self) -> Database {
        D::DATABASE
    }

    fn bell(&self) -> &Bell {
        &self.bell
    }

    fn hears_others(&self) -> bool {
        self.db.hears_others()
    }

    fn statements(&self) -> u64 {
        self.db.sent()
    }

    async fn time(&self) -> Result<Timestamp> {
        self.db.time().await.map_err(|fault| fault.told("asking the database's time"))
    }

    async fn ping(&self) -> Result<()> {
        let answer = self.db.read(self.db.statements().ping, Vec::new()).await;
        answer.map(drop).map_err(|fault| fault.told("asking whether the database answers"))
    }

    async fn insert(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.insert_jobs(jobs).await
    }

    async fn insert_in(&self, connection: Foreign<'_>, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.insert_jobs_in(connection, jobs).await
    }

    fn ring_for_inserted(&self, jobs: &[(JobState, Timestamp)]) {
        self.ring_for(jobs.iter().map(|(state, at)| (*state, Some(*at))));
        if self.lines_in_callers_hands.swap(false, Ordering::Relaxed) {
            self.ring(Ring::Lines);
        }
    }

    async fn claim(&self, request: &ClaimRequest, now: Timestamp) -> Result<Claimed> {
        self.claim_jobs(request, now).await
    }

    async fn finalize(&self, batch: &[Settlement], now: Timestamp) -> Result<Vec<Settled>> {
        self.finalize_batch(batch, now).await
    }

    async fn report_progress(&self, reports: &[ProgressReport], _now: Timestamp) -> Result<()> {
        self.keep_progress(reports).await
    }

    async fn save_checkpoint(&self, save: &CheckpointSave, now: Timestamp) -> Result<()> {
        self.keep_checkpoint(save, now).await
    }

    async fn checkpoint(&self, job: JobId) -> Result<Option<Arc<[u8]>>> {
        self.read_checkpoint(job).await
    }

    async fn children(&self, page: &ChildrenPage) -> Result<Vec<ChildRecord>> {
        self.read_children(page).await
    }

    async fn cancels(&self, node: NodeId) -> Result<Vec<RunId>> {
        self.cancels_of(node).await
    }

    async fn register(&self, node: &NewNode, losses: &LossPolicy, now: Timestamp) -> Result<Registered> {
        self.register_node(node, losses, now).await
    }

    async fn publish(&self, node: NodeId, kinds: &[PublishedKind], now: Timestamp) -> Result<()> {
        self.publish_kinds(node, kinds, now).await
    }

    async fn renew(&self, renewal: &Renewal, now: Timestamp) -> Result<Renewed> {
        self.renew_lease(renewal, now).await
    }

    async fn leave(&self, node: NodeId, now: Timestamp) -> Result<()> {
        self.leave_node(node, now).await
    }

    async fn hold(&self, activity: &Activity, now: Timestamp) -> Result<bool> {
        self.hold_activity(activity, now).await
    }

    async fn sweep(&self, sweep: &Sweep, now: Timestamp) -> Result<Swept> {
        self.sweep_nodes(sweep, now).await
    }

    async fn promote(&self, limit: u32, now: Timestamp) -> Result<Promoted> {
        self.promote_due(limit, now).await
    }

    async fn order(&self, order: &Order, jobs: &[JobId], now: Timestamp) -> Result<Vec<Answer>> {
        self.order_for(order, jobs, now).await
    }

    async fn order_next(
        &self,
        order: &Order,
        selection: &Selection,
        from: Option<JobId>,
        now: Timestamp,
    ) -> Result<Step> {
        self.order_batch(order, selection, from, now).await
    }

    async fn survey(&self, selection: &Selection, from: Option<JobId>) -> Result<Survey> {
        self.survey_jobs(selection, from).await
    }

    async fn actions(&self, filter: &ActionFilter) -> Result<Vec<ActionRecord>> {
        self.read_actions(filter).await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRecord>> {
        self.read_job(id).await
    }

    async fn state(&self, job: JobId) -> Result<Option<JobState>> {
        self.read_state(job).await
    }

    async fn runs(&self, job: JobId) -> Result<Vec<RunRecord>> {
        self.read_runs(job).await
    }

    async fn last_run(&self, job: JobId) -> Result<Option<RunRecord>> {
        self.read_last_run(job).await
    }

    async fn ahead(&self, job: &JobRecord, most: u32) -> Result<Ahead> {
        self.count_ahead(job, most).await
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRecord>> {
        self.read_run(id).await
    }

    async fn log(&self, run: RunId, part: LogPart) -> Result<Vec<LogRecord>> {
        self.read_log(run, part).await
    }

    async fn page(&self, filter: &JobFilter) -> Result<Page> {
        self.read_page(filter).await
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview> {
        self.read_overview(now).await
    }

    async fn waiting(&self, now: Timestamp, until: Timestamp) -> Result<Vec<Waiting>> {
        self.read_waiting(now, until).await
    }

    async fn health(&self, now: Timestamp) -> Result<Health> {
        self.read_health(now).await
    }

    async fn batch(&self, parent: JobId, run: Option<RunId>, now: Timestamp) -> Result<BatchProgress> {
        self.read_batch(parent, run, now).await
    }

    async fn failures(&self, filter: &FailureFilter) -> Result<Vec<FailureRecord>> {
        self.read_failures(filter).await
    }

    async fn nodes(&self) -> Result<Vec<NodeRecord>> {
        self.read_nodes().await
    }

    async fn kind(&self, kind: &Kind) -> Result<Option<KindRecord>> {
        self.read_kind(kind).await
    }

    async fn kinds(&self) -> Result<Vec<KindRecord>> {
        self.read_kinds().await
    }

    async fn close(&self) {
        self.db.close().await;
    }
}

#[async_trait]
impl<D: Dialect> Schedules for SqlStore<D> {
    async fn schedules(&self) -> Result<Vec<ScheduleRecord>> {
        self.read_schedules().await
    }

    async fn keep_schedule(
        &self,
        order: &SingleOrder,
        schedule: &Schedule,
        now: Timestamp,
    ) -> Result<ScheduleKept> {
        self.keep(order, schedule, now).await
    }

    async fn remove_schedule(
        &self,
        order: &SingleOrder,
        slug: &Slug,
        now: Timestamp,
    ) -> Result<ScheduleRemoved> {
        self.remove(order, slug, now).await
    }

    async fn switch_schedule(
        &self,
        order: &SingleOrder,
        slug: &Slug,
        switch: Switch,
        now: Timestamp,
    ) -> Result<ScheduleSwitched> {
        self.switch(order, slug, switch, now).await
    }

    async fn run_schedule(&self, order: &SingleOrder, slug: &Slug, now: Timestamp) -> Result<ScheduleRan> {
        self.run_now(order, slug, now).await
    }

    async fn reconcile_schedules(&self, schedules: &[Schedule], now: Timestamp) -> Result<Reconciled> {
        self.reconcile(schedules, now).await
    }

    async fn due_schedules(&self, after: Option<&DueSchedule>, now: Timestamp) -> Result<Vec<DueSchedule>> {
        self.schedules_due(after, now).await
    }

    async fn next_schedule(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        self.schedules_next(now).await
    }

    async fn fire(&self, slug: &Slug, now: Timestamp) -> Result<Fired> {
        self.fire_schedule(slug, now).await
    }
}

#[async_trait]
impl<D: Dialect> Flags for SqlStore<D> {
    async fn flag(
        &self,
        order: &SingleOrder,
        flagged: &Flagged,
        flag: Flag,
        now: Timestamp,
    ) -> Result<FlagSet> {
        self.set_flag(order, flagged, flag, now).await
    }

    async fn paused_queues(&self) -> Result<BTreeSet<Queue>> {
        self.read_paused_queues().await
    }
}

#[async_trait]
impl<D: Dialect> Limits for SqlStore<D> {
    async fn limits(&self) -> Result<Vec<LimitRecord>> {
        self.read_limits().await
    }

    async fn limit_lines(&self, name: &LimitName, most: u32) -> Result<Vec<LimitLine>> {
        self.read_limit_lines(name, most).await
    }

    async fn keep_limit(&self, order: &SingleOrder, limit: &Limit, now: Timestamp) -> Result<LimitKept> {
        self.put_limit(order, limit, now).await
    }

    async fn remove_limit(
        &self,
        order: &SingleOrder,
        name: &LimitName,
        now: Timestamp,
    ) -> Result<LimitRemoved> {
        self.drop_limit(order, name, now).await
    }

    async fn reconcile_limits(&self, limits: &[Limit], now: Timestamp) -> Result<LimitsReconciled> {
        self.compare_limits(limits, now).await
    }
}

#[async_trait]
impl<D: Dialect> Retention for SqlStore<D> {
    async fn prune(&self, step: &PruneStep, now: Timestamp) -> Result<Pruned> {
        self.prune_step(step, now).await
    }

    async fn policies(&self, now: Timestamp) -> Result<Vec<NodePolicy>> {
        self.read_policies(now).await
    }

    async fn footprint(&self) -> Result<Footprint> {
        self.measure().await
    }
}

/// Whether a loss was reclaimed to wait, so that the promoter may have to look earlier.
pub(super) fn waits(reclaimed: &Reclaimed) -> (JobState, Option<Timestamp>) {
    (reclaimed.transition.state(), reclaimed.transition.due())
}

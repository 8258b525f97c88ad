//! The lifecycle once more, as plainly as it can be said: no database, no batches, no races.

use std::collections::{BTreeMap, BTreeSet};

use flyball::job::{JobId, JobState, NewJob, NodeId, Operation, RunId, Settlement, Timestamp};
use flyball::store::{Answer, Need};

use super::journal::Changes;
use super::step::OnDiscard;

/// Losses in a row after which a job that runs alone is discarded.
const MAX_CRASHES: u32 = 3;

/// A job as far as the lifecycle is about it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) state: JobState,
    pub(super) attempt: u32,
    pub(super) failures: u32,
    pub(super) crashes: u32,
    pub(super) last_chance: bool,
    pub(super) scheduled_at: Timestamp,
    pub(super) cancel_requested: bool,
    pub(super) key: Option<u8>,
    pub(super) on_discard: OnDiscard,
    /// The run whose barrier waits for it.
    pub(super) awaited_by: Option<RunId>,
    /// The run that asked for it.
    pub(super) asked_by: Option<RunId>,
    /// Whether it is what a discard enqueued, which nobody serves.
    pub(super) tells: bool,
    /// Who runs it, and under which token.
    pub(super) held: Option<(NodeId, RunId)>,
}

impl Job {
    pub(super) fn new(state: JobState, scheduled_at: Timestamp) -> Self {
        Self {
            state,
            attempt: 0,
            failures: 0,
            crashes: 0,
            last_chance: false,
            scheduled_at,
            cancel_requested: false,
            key: None,
            on_discard: OnDiscard::Nothing,
            awaited_by: None,
            asked_by: None,
            tells: false,
            held: None,
        }
    }
}

#[derive(Default)]
pub(super) struct Model {
    pub(super) jobs: BTreeMap<JobId, Job>,
    /// The continuations that wait for the children of a run.
    barriers: BTreeMap<RunId, JobId>,
    /// The jobs whose runs set a barrier, and the continuations of those that fired.
    setters: BTreeMap<RunId, JobId>,
    continued: BTreeMap<RunId, JobId>,
    /// Jobs whose discard enqueued one whose id only the store knows.
    pub(super) told: Vec<JobId>,
    pub(super) changes: Changes,
}

impl Model {
    pub(super) fn insert(&mut self, id: JobId, job: Job) {
        self.changes.entry(id).or_default().push((None, job.state));
        self.jobs.insert(id, job);
    }

    fn go(&mut self, id: JobId, state: JobState) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let was = std::mem::replace(&mut job.state, state);
        if was != state {
            self.changes.entry(id).or_default().push((Some(was), state));
        }
    }

    /// Who holds the key, among those that have not ended.
    pub(super) fn holder(&self, key: Option<u8>) -> Option<JobId> {
        let holds = |job: &Job| key.is_some() && job.key == key && !job.state.is_terminal();
        self.jobs.iter().find(|(_, job)| holds(job)).map(|(id, _)| *id)
    }

    /// What a claim finds, in its order.
    pub(super) fn claimable(&self, last_chance: bool) -> Vec<JobId> {
        let waits =
            |job: &Job| job.state == JobState::Available && job.last_chance == last_chance && !job.tells;
        let mut found: Vec<_> =
            self.jobs.iter().filter(|(_, job)| waits(job)).map(|(id, job)| (job.scheduled_at, *id)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    pub(super) fn claimed(&mut self, id: JobId, node: NodeId, run: RunId) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.attempt += 1;
            job.held = Some((node, run));
        }
        self.go(id, JobState::Running);
    }

    /// What a node runs.
    pub(super) fn held(&self, node: NodeId) -> Vec<RunId> {
        let held = self.jobs.values().filter_map(|job| job.held);
        held.filter(|(of, _)| *of == node).map(|(_, run)| run).collect()
    }

    /// An outcome is handed in; the state that the job went to, or nothing if its lease was no longer this one.
    pub(super) fn settle(&mut self, settlement: &Settlement, now: Timestamp) -> Option<JobState> {
        let job = self.jobs.get_mut(&settlement.job)?;
        job.held.filter(|(_, run)| *run == settlement.run)?;
        let state = match settlement.transition.state() {
            state if job.cancel_requested && !state.is_terminal() => JobState::Cancelled,
            state => state,
        };
        job.held = None;
        job.failures = settlement.tries.failures;
        job.crashes = settlement.tries.crashes;
        job.last_chance &= job.crashes > 0;
        job.scheduled_at = settlement.transition.due().unwrap_or(job.scheduled_at);
        self.go(settlement.job, state);
        for NewJob { id, state, scheduled_at, lineage, .. } in &settlement.follow_ups {
            let awaited_by = lineage.awaited.then_some(settlement.run);
            let asked_by = Some(settlement.run);
            self.insert(*id, Job { awaited_by, asked_by, ..Job::new(*state, *scheduled_at) });
        }
        if let Some(continuation) = &settlement.barrier {
            self.setters.insert(settlement.run, settlement.job);
            self.barriers.insert(settlement.run, continuation.id);
        }
        self.ended(&[settlement.job], Some(settlement.run), now);
        Some(state)
    }

    /// A node is lost; what it ran, with where each job goes. When that is due, the store says.
    pub(super) fn lose(&mut self, node: NodeId) -> BTreeMap<JobId, JobState> {
        let ran = |job: &Job| job.held.is_some_and(|(of, _)| of == node);
        let lost: Vec<JobId> = self.jobs.iter().filter(|(_, job)| ran(job)).map(|(id, _)| *id).collect();
        let mut went = BTreeMap::new();
        for id in lost {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            let alone = job.last_chance;
            job.held = None;
            job.crashes += 1;
            let state = match (job.cancel_requested, alone) {
                (true, _) => JobState::Cancelled,
                (false, true) => JobState::Discarded,
                (false, false) => JobState::Retryable,
            };
            if state == JobState::Retryable {
                job.last_chance = job.crashes + 1 >= MAX_CRASHES;
            }
            self.go(id, state);
            went.insert(id, state);
        }
        went
    }

    pub(super) fn due(&mut self, id: JobId, at: Option<Timestamp>) {
        if let (Some(job), Some(at)) = (self.jobs.get_mut(&id), at) {
            job.scheduled_at = at;
        }
    }

    /// What follows the end of jobs, and of a run that set a barrier.
    pub(super) fn ended(&mut self, jobs: &[JobId], run: Option<RunId>, now: Timestamp) {
        let mut runs: BTreeSet<RunId> = run.into_iter().collect();
        for id in jobs {
            let Some(job) = self.jobs.get(id) else { continue };
            if job.state.is_terminal() {
                runs.extend(job.awaited_by);
            }
            if job.state == JobState::Discarded && job.on_discard == OnDiscard::Tell {
                self.told.push(*id);
            }
        }
        for run in runs {
            let waits = |job: &Job| job.awaited_by == Some(run) && !job.state.is_terminal();
            if !self.jobs.values().any(waits)
                && let Some(continuation) = self.barriers.remove(&run)
            {
                self.continued.insert(run, continuation);
                let asked_by = Some(run);
                self.insert(continuation, Job { asked_by, ..Job::new(JobState::Available, now) });
            }
        }
    }

    pub(super) fn promote(&mut self, now: Timestamp) -> usize {
        let waits = |job: &Job| matches!(job.state, JobState::Scheduled | JobState::Retryable);
        let due = |job: &Job| waits(job) && job.scheduled_at <= now;
        let due: Vec<JobId> = self.jobs.iter().filter(|(_, job)| due(job)).map(|(id, _)| *id).collect();
        for id in &due {
            self.go(*id, JobState::Available);
        }
        due.len()
    }

    fn delete(&mut self, id: JobId, job: &Job) -> Answer {
        let unfinished = |id: &JobId| self.jobs.get(id).is_some_and(|job| !job.state.is_terminal());
        let by = match job.asked_by {
            _ if self.barriers.keys().any(|run| self.setters.get(run) == Some(&id)) => Need::Barrier,
            Some(run) if self.barriers.contains_key(&run) => Need::ParentsBarrier,
            Some(run) if self.continued.get(&run).is_some_and(unfinished) => Need::Continuation,
            Some(_) | None => {
                self.jobs.remove(&id);
                return Answer::Deleted;
            }
        };
        Answer::Needed { by }
    }

    /// An operator's order for one job.
    pub(super) fn order(&mut self, id: JobId, operation: Operation, now: Timestamp) -> Answer {
        let Some(job) = self.jobs.get(&id).cloned() else { return Answer::NotFound };
        if !operation.moves(job.state) {
            return Answer::Left { state: job.state };
        }
        let state = match operation {
            Operation::Cancel(_) if job.state == JobState::Running => {
                self.jobs.entry(id).and_modify(|job| job.cancel_requested = true);
                return Answer::Requested;
            }
            Operation::Cancel(_) => JobState::Cancelled,
            Operation::Pause => JobState::Paused,
            Operation::Resume if job.scheduled_at <= now => JobState::Available,
            Operation::Resume => JobState::Scheduled,
            Operation::Retry | Operation::Replay(_) => {
                if job.state.is_terminal()
                    && let Some(holder) = self.holder(job.key)
                {
                    return Answer::KeyTaken { holder };
                }
                self.jobs.entry(id).and_modify(|job| {
                    // What waits as it is keeps its place, and what has not ended its failures.
                    job.scheduled_at = if job.state == JobState::Available { job.scheduled_at } else { now };
                    job.failures = if job.state.is_terminal() { 0 } else { job.failures };
                    (job.crashes, job.last_chance, job.cancel_requested) = (0, false, false);
                });
                JobState::Available
            }
            // Nothing here goes by priorities.
            Operation::Reprioritise(_) => job.state,
            Operation::Reschedule(due) => {
                let at = due.at(now);
                self.due(id, Some(at));
                match job.state {
                    JobState::Available | JobState::Scheduled if at <= now => JobState::Available,
                    JobState::Available | JobState::Scheduled => JobState::Scheduled,
                    state => state,
                }
            }
            Operation::Delete => return self.delete(id, &job),
        };
        self.go(id, state);
        self.ended(&[id], None, now);
        Answer::Moved { state }
    }
}

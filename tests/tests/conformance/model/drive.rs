//! One case: each step is taken by the store and by the model, and then both must say the same.

use std::time::Duration;

use flyball::job::{
    Claim, Completion, Evidence, Failure, JobId, JobIds, JobState, Key, NewJob, NodeId, OnDiscard,
    RetryPolicy, RunId, Verdict, When,
};
use flyball::store::{Database, Inserted, JobFilter, Reclaimed, Selection, Settled, Turn};

use super::journal::Changes;
use super::reference::{Job, Model};
use super::step::{Behind, End, OnDiscard as Tells, Step};
use crate::world::{World, kind, order};

/// Nodes at a time, where there may be several.
const NODES: usize = 2;
/// Failures that a job may have, so that some are given up.
const MAX_ATTEMPTS: u32 = 3;

pub(super) struct Drive<'w> {
    world: &'w World,
    model: Model,
    nodes: Vec<NodeId>,
    /// Of all attempts that have not ended, those of lost nodes included.
    claims: Vec<Claim>,
}

/// What went wrong, or nothing.
type Agreed = Result<(), String>;

#[expect(clippy::needless_pass_by_value, reason = "most are made for the comparison")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, store: T, model: T) -> Agreed {
    if store == model { Ok(()) } else { Err(format!("{what}: the store has {store:?}, the model {model:?}")) }
}

impl<'w> Drive<'w> {
    pub(super) async fn begin(world: &'w World) -> Self {
        let count = match world.database {
            Database::Sqlite => 1,
            Database::Postgres => NODES,
        };
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(world.node().await);
        }
        Self { world, model: Model::default(), nodes, claims: Vec::new() }
    }

    pub(super) async fn take(&mut self, step: &Step) -> Agreed {
        let taken = match step {
            Step::Enqueue { delay, key, on_discard } => self.enqueue(*delay, *key, *on_discard).await,
            Step::Claim { node, count } => self.claim(*node.get(&self.nodes), *count, Turn::Fresh).await,
            Step::ClaimLastChance { node } => self.claim(*node.get(&self.nodes), 1, Turn::LastChance).await,
            Step::End { .. } if self.claims.is_empty() => Ok(()),
            Step::End { claim, how } => {
                let claim = self.claims.swap_remove(claim.index(self.claims.len()));
                self.end(claim, *how).await
            }
            Step::Crash { node } => self.crash(node.index(self.nodes.len())).await,
            Step::Promote => self.promote().await,
            Step::Order { .. } if self.model.jobs.is_empty() => Ok(()),
            Step::Order { job, operation } => {
                let jobs: Vec<JobId> = self.model.jobs.keys().copied().collect();
                self.order(&[*job.get(&jobs)], *operation).await
            }
            Step::OrderAll { operation } => {
                let jobs: Vec<JobId> = self.model.jobs.keys().copied().collect();
                self.order(&jobs, *operation).await
            }
            Step::Pass { seconds } => self.pass(*seconds).await,
        };
        let agreed = match taken {
            Ok(()) => self.compare().await,
            Err(why) => Err(why),
        };
        agreed.map_err(|why| format!("at {step:?}: {why}"))
    }

    async fn enqueue(&mut self, delay: u64, key: Option<u8>, on_discard: Tells) -> Agreed {
        let job = self.world.job(|opts| {
            opts.when = if delay == 0 { When::Now } else { When::In(Duration::from_secs(delay)) };
            opts.unique_active_key = key.map(|key| Key::new(&key.to_string()).expect("a key"));
            // No attempt here is ever overdue.
            opts.overrides.timeout = Some(Duration::from_secs(24 * 3600));
            opts.on_discard = match on_discard {
                Tells::Nothing => None,
                Tells::Tell => Some(OnDiscard { kind: kind("tell"), args: "{}".into() }),
            };
        });
        let expected = match self.model.holder(key) {
            Some(holder) => Inserted::Duplicate(holder),
            None => {
                let entered = Job { key, on_discard, ..Job::new(job.state, job.scheduled_at) };
                self.model.insert(job.id, entered);
                Inserted::New(job.id)
            }
        };
        let inserted = self.world.store.insert(&[job]).await.map_err(|error| error.to_string())?;
        same("an insert", inserted, vec![expected])
    }

    async fn claim(&mut self, node: NodeId, count: usize, turn: Turn) -> Agreed {
        let request = flyball::store::ClaimRequest { turn, ..self.world.request(node, count) };
        let mut expected = self.model.claimable(turn == Turn::LastChance);
        expected.truncate(count);
        let claims = self.world.take(&request).await;
        same("a claim", claims.iter().map(|claim| claim.job).collect(), expected)?;
        for claim in claims {
            self.model.claimed(claim.job, node, claim.run);
            self.claims.push(claim);
        }
        Ok(())
    }

    async fn end(&mut self, claim: Claim, how: End) -> Agreed {
        let now = self.world.now();
        let verdict = match how {
            End::Complete => Verdict::Completed(Completion::default()),
            End::FanOut { count, behind } => Verdict::Completed(self.fan_out(&claim, count, behind)),
            End::Fail(class) => Verdict::Failed(Failure::new(class, "no")),
            End::Snooze { seconds } => Verdict::Snoozed { delay: Duration::from_secs(seconds) },
            End::Cancel => Verdict::Cancelled { reason: "enough".into() },
            End::Stopped => Verdict::Stopped,
            End::Release(why) => Verdict::Released(why),
        };
        let policy = RetryPolicy { max_attempts: MAX_ATTEMPTS, ..RetryPolicy::default() };
        let settlement = claim.settle(verdict, Evidence::default(), &policy, now);
        let expected = self.model.settle(&settlement, now);
        let went = match self.world.finalize(&settlement).await {
            Settled::Advanced { state, .. } => Some(state),
            Settled::Superseded => None,
        };
        same("an outcome", went, expected)
    }

    fn fan_out(&self, claim: &Claim, count: usize, behind: Behind) -> Completion {
        let ids = JobIds::default();
        let job = || {
            let job = self.world.job(|opts| {
                opts.lineage = claim.child_lineage();
                opts.overrides.timeout = Some(Duration::from_secs(24 * 3600));
            });
            NewJob { id: ids.mint(self.world.now()), ..job }
        };
        let follow_ups = (0..count).map(|_| job()).collect();
        let barrier = (behind == Behind::Continuation).then(|| Box::new(job()));
        Completion { follow_ups, barrier, ..Completion::default() }
    }

    async fn crash(&mut self, slot: usize) -> Agreed {
        let dead = self.nodes.swap_remove(slot);
        let fresh = NodeId::mint(self.world.now());
        let registered = self.world.register(fresh).await;
        self.nodes.push(fresh);
        let reclaimed = match self.world.database {
            Database::Sqlite => registered.reclaimed,
            Database::Postgres => {
                let held: Vec<(NodeId, Vec<RunId>)> =
                    self.nodes.iter().map(|node| (*node, self.model.held(*node))).collect();
                let held: Vec<(NodeId, &[RunId])> =
                    held.iter().map(|(node, runs)| (*node, runs.as_slice())).collect();
                self.world.live(8, &held).await;
                let swept = self.world.store.sweep(&self.world.sweep(fresh), self.world.now()).await;
                let swept = swept.map_err(|error| error.to_string())?;
                same("the faults of a sweep", swept.errors.len(), 0)?;
                swept.reclaimed
            }
        };
        let expected = self.model.lose(dead);
        let went = reclaimed.iter().map(|lost| (lost.job, lost.transition.state())).collect();
        same("a loss", went, expected)?;
        for Reclaimed { job, transition, .. } in &reclaimed {
            self.model.due(*job, transition.due());
        }
        let ended: Vec<JobId> = reclaimed.iter().map(|lost| lost.job).collect();
        self.model.ended(&ended, None, self.world.now());
        Ok(())
    }

    async fn promote(&mut self) -> Agreed {
        let now = self.world.now();
        let promoted = self.world.store.promote(1000, now).await.map_err(|error| error.to_string())?;
        same("a promotion", promoted.count as usize, self.model.promote(now))
    }

    async fn order(&mut self, jobs: &[JobId], operation: flyball::job::Operation) -> Agreed {
        let now = self.world.now();
        let expected: Vec<_> = jobs.iter().map(|job| self.model.order(*job, operation, now)).collect();
        let answers = self.world.store.order(&order(operation, now), jobs, now).await;
        same("an order", answers.map_err(|error| error.to_string())?, expected)
    }

    async fn pass(&mut self, seconds: u64) -> Agreed {
        self.world.advance(seconds);
        if self.world.database == Database::Postgres {
            for node in &self.nodes {
                let renewal = self.world.renewal(*node, &self.model.held(*node));
                let renewed = self.world.store.renew(&renewal, self.world.now()).await;
                renewed.map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Every job, as the store and as the model have it.
    async fn compare(&mut self) -> Agreed {
        let filter = JobFilter { selection: Selection::default(), before: None, limit: 1000 };
        let page = self.world.store.page(&filter).await.map_err(|error| error.to_string())?;
        for record in &page.jobs {
            if !self.model.jobs.contains_key(&record.id) && record.kind == kind("tell") {
                let told = self.model.told.iter().position(|job| Some(*job) == record.parent_id);
                let told = told.ok_or_else(|| format!("{} was enqueued by no discard", record.id))?;
                self.model.told.swap_remove(told);
                let entered = Job::new(JobState::Available, self.world.now());
                self.model.insert(record.id, Job { tells: true, ..entered });
            }
            let job =
                self.model.jobs.get(&record.id).ok_or_else(|| format!("the model has no {}", record.id))?;
            let store = (record.state, record.attempt, record.failures, record.crashes, record.last_chance);
            let model = (job.state, job.attempt, job.failures, job.crashes, job.last_chance);
            same(&format!("job {}", record.id), store, model)?;
            same("its lease", record.lease_token, job.held.map(|(_, run)| run))?;
            if !job.state.is_terminal() {
                same("its time", record.scheduled_at, job.scheduled_at)?;
                same("its cancel", record.cancel_requested_at.is_some(), job.cancel_requested)?;
            }
        }
        same("jobs", page.jobs.len(), self.model.jobs.len())?;
        same("what discards enqueued", self.model.told.len(), 0)
    }

    /// The log of all changes, replayed.
    pub(super) fn agrees_with(&self, changes: &Changes) -> Agreed {
        same("the log of changes", changes, &self.model.changes)
    }
}

//! Jobs come in: inserted, or found to be there already.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;

use crate::job::{JobId, JobState, NewJob, Queue, Timestamp};
use crate::store::batch::{Batches, Fields, MAX_BYTES, Size, Wire, texts};
use crate::store::dialect::{Dialect, Outcome, Session};
use crate::store::fault::{Blame, Fault};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{Database, Foreign, Inserted, Result, StoreError};

const DOING: &str = "inserting jobs";
/// How often a taken key is looked for whose holder went away between two statements.
const ROUNDS: usize = 3;
/// One statement of an insert.
pub(super) const BULK: Size = Size { items: 5000, bytes: MAX_BYTES };

/// Jobs on their way in, encoded a statement's worth at a time.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    wire: Wire,
    size: Size,
    jobs: Vec<NewJob>,
}

impl Incoming {
    /// In the order of their keys, so that two writers of the same keys wait for each other in one order.
    pub(super) fn new(wire: Wire, size: Size, mut jobs: Vec<NewJob>) -> Self {
        jobs.sort_by(|a, b| {
            (&a.unique_key, &a.unique_active_key).cmp(&(&b.unique_key, &b.unique_active_key))
        });
        Self { wire, size, jobs }
    }

    /// Inserts them, in the order of the caller's transaction; answers by id.
    pub(super) async fn insert(
        mut self,
        session: &mut dyn Session,
        statements: &Statements,
    ) -> Outcome<HashMap<JobId, Inserted>> {
        self.place(session, statements).await?;
        let mut answers = HashMap::with_capacity(self.jobs.len());
        for _ in 0..ROUNDS {
            for batch in self.batches(encode) {
                for mut row in session.run(statements.insert, vec![batch.into()]).await? {
                    let id = row.id("id")?;
                    answers.insert(id, Inserted::New(id));
                }
            }
            self.jobs.retain(|job| !answers.contains_key(&job.id));
            self.find(session, statements, &mut answers).await?;
            self.jobs.retain(|job| !answers.contains_key(&job.id));
            if self.jobs.is_empty() {
                return Ok(answers);
            }
        }
        Err(Fault::Database(sqlx::Error::RowNotFound))
    }

    /// Finds root and depth of those whose parent alone is known.
    async fn place(&mut self, session: &mut dyn Session, statements: &Statements) -> Outcome<()> {
        let parents: BTreeSet<JobId> = self.jobs.iter().filter_map(|job| job.lineage.unplaced()).collect();
        for parent in parents {
            let rows = session.run(statements.parent, vec![parent.into()]).await?;
            let mut row = rows.into_iter().next().ok_or(Fault::Verb(StoreError::NoParent(parent)))?;
            let root = row.opt_id("root_id")?.unwrap_or(parent);
            let depth = row.int::<u16>("depth")?.saturating_add(1);
            let children = self.jobs.iter_mut().filter(|job| job.lineage.unplaced() == Some(parent));
            children.for_each(|job| {
                (job.lineage.root, job.lineage.depth) = (Some(root), depth.min(i16::MAX.unsigned_abs()));
            });
        }
        Ok(())
    }

    /// Looks for those that are there, or whose key is held.
    pub(super) async fn find(
        &self,
        session: &mut dyn Session,
        statements: &Statements,
        answers: &mut HashMap<JobId, Inserted>,
    ) -> Outcome<()> {
        for batch in self.batches(encode_keys) {
            for mut row in session.run(statements.insert_find, vec![batch.into()]).await? {
                let id = row.id("id")?;
                if row.flag("same")? {
                    answers.insert(id, Inserted::New(id));
                } else if let Some(holder) = row.opt_id("holder")? {
                    answers.insert(id, Inserted::Duplicate(holder));
                }
            }
        }
        Ok(())
    }

    fn batches(&self, encode: fn(Wire, &NewJob) -> String) -> Batches<impl Iterator<Item = String>> {
        Batches::new(self.jobs.iter().map(move |job| encode(self.wire, job)), self.size)
    }

    /// Whether it may take several statements to insert them.
    fn may_be_several(&self) -> bool {
        self.jobs.len() > self.size.items || self.jobs.iter().map(weight).sum::<usize>() > self.size.bytes
    }
}

/// How many bytes a job takes on its way in, at most: text is escaped once more there.
pub(super) fn weight(job: &NewJob) -> usize {
    let keys =
        [&job.unique_key, &job.unique_active_key].into_iter().flatten().map(|key| key.as_str().len() + 8);
    let tags = job.tags.iter().map(|tag| tag.as_str().len() + 8);
    let on_discard = job.on_discard.as_ref().map_or(0, |json| json.as_str().len());
    2 * (job.args.as_str().len() + job.metadata.as_str().len() + on_discard + keys.chain(tags).sum::<usize>())
        + 1200
}

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn insert_jobs(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let incoming = Incoming::new(D::WIRE, BULK, jobs.to_vec());
        let now = jobs.iter().map(|job| job.created_at).max().unwrap_or(Timestamp::EPOCH);
        let mut round = 1;
        let answers = loop {
            match self.insert_once(incoming.clone(), now).await {
                Ok(answers) => break answers,
                Err(fault) if fault.blame() == Blame::Race && round < ROUNDS => round += 1,
                Err(fault) => return Err(fault.told(DOING)),
            }
        };
        let inserted = |job: &NewJob| answers.get(&job.id) == Some(&Inserted::New(job.id));
        self.ring_for(jobs.iter().filter(|job| inserted(job)).map(|job| (job.state, Some(job.scheduled_at))));
        Ok(in_order(jobs, &answers))
    }

    pub(in crate::store) async fn insert_jobs_in(
        &self,
        connection: Foreign<'_>,
        jobs: &[NewJob],
    ) -> Result<Vec<Inserted>> {
        let mut session = self.db.foreign(connection)?;
        let available = jobs.iter().filter(|job| job.state == JobState::Available);
        let queues: BTreeSet<&Queue> = available.map(|job| &job.queue).collect();
        let queues: Vec<&Queue> = queues.into_iter().collect();
        let incoming = Incoming::new(D::WIRE, BULK, jobs.to_vec());
        let work = async {
            if !queues.is_empty() {
                self.db.announce_foreign(&mut *session, &queues).await?;
            }
            let answers = incoming.insert(&mut *session, self.db.statements()).await?;
            // Where others write meanwhile, keys are not held for as long as the caller likes: somebody looks when it has
            // committed.
            if D::DATABASE == Database::Sqlite {
                let now = jobs.iter().map(|job| job.created_at).max().unwrap_or(Timestamp::EPOCH);
                self.turnstile(now).turn(&mut *session).await?;
            } else if !session.turns().is_empty() {
                self.lines_in_callers_hands.store(true, Ordering::Relaxed);
            }
            Ok(answers)
        };
        let answers = work.await.map_err(|fault: Fault| fault.told(DOING))?;
        Ok(in_order(jobs, &answers))
    }

    async fn insert_once(&self, incoming: Incoming, now: Timestamp) -> Outcome<HashMap<JobId, Inserted>> {
        let (statements, turnstile) = (self.db.statements().clone(), self.turnstile(now));
        // One statement is whole by itself; several are whole together.
        if incoming.may_be_several() || D::DATABASE == Database::Sqlite {
            let work = self.db.transact(move |s| {
                Box::pin(async move {
                    let answers = incoming.insert(s, &statements).await?;
                    Ok((answers, turnstile.turn(s).await?))
                })
            });
            let (answers, turned) = work.await?;
            self.ring_for_turned(turned);
            return Ok(answers);
        }
        let work = self.db.alone(move |s| {
            Box::pin(async move {
                let answers = incoming.insert(s, &statements).await?;
                Ok((answers, std::mem::take(s.turns())))
            })
        });
        let (answers, turns) = work.await?;
        if let Err(fault) = self.turn_apart(turns, now).await {
            // The jobs are there, and so is the note that somebody has to look.
            tracing::warn!(error = %fault.told(DOING), "jobs were inserted, and wait until a promoter lets them through");
        }
        Ok(answers)
    }
}

fn in_order(jobs: &[NewJob], answers: &HashMap<JobId, Inserted>) -> Vec<Inserted> {
    jobs.iter().map(|job| answers.get(&job.id).copied().unwrap_or(Inserted::New(job.id))).collect()
}

/// A job as the insert statement takes it.
pub(super) fn encode(wire: Wire, job: &NewJob) -> String {
    wire.item(|fields| {
        undated(fields, job);
        dates(fields, job.state, job.created_at, job.scheduled_at);
    })
}

/// When a job comes in and is due.
pub(super) fn dates(fields: &mut Fields, state: JobState, created_at: Timestamp, scheduled_at: Timestamp) {
    fields.text("state", state.as_str());
    fields.time("created_at", created_at);
    fields.time("scheduled_at", scheduled_at);
}

/// All of a job but when it comes in and is due.
pub(super) fn undated(fields: &mut Fields, job: &NewJob) {
    fields.id("id", job.id.uuid());
    fields.text("kind", &job.kind);
    fields.text("queue", &job.queue);
    fields.text("args", job.args.as_str());
    fields.number("priority", job.priority);
    fields.opt_number("max_attempts", job.overrides.max_attempts);
    fields.opt_number("timeout_ms", job.overrides.timeout.map(|t| t.as_millis()));
    fields.opt_number("fuel", job.overrides.fuel);
    fields.opt_number("backoff_base_ms", job.overrides.backoff.map(|b| b.base.as_millis()));
    fields.opt_number("backoff_cap_ms", job.overrides.backoff.map(|b| b.cap.as_millis()));
    fields.opt_text("unique_key", job.unique_key.as_ref());
    fields.opt_text("unique_active_key", job.unique_active_key.as_ref());
    fields.id("parent_id", job.lineage.parent.map(JobId::uuid));
    fields.id("parent_run_id", job.lineage.parent_run.map(|run| run.uuid()));
    fields.id("root_id", job.lineage.root.map(JobId::uuid));
    fields.number("depth", job.lineage.depth);
    fields.text("executor_class", &job.executor_class);
    fields.opt_text("schedule_slug", job.schedule_slug.as_ref());
    fields.json("tags", &texts(&job.tags));
    fields.text("metadata", job.metadata.as_str());
    if job.lineage.awaited {
        fields.flag("awaited", true);
    }
    fields.id("continues_run_id", job.lineage.continues.map(|run| run.uuid()));
    fields.opt_text("limit_given", job.limit_key.as_ref());
    fields.opt_text("on_discard", job.on_discard.as_ref().map(|json| json.as_str()));
}

fn encode_keys(wire: Wire, job: &NewJob) -> String {
    wire.item(|fields| {
        fields.id("id", job.id.uuid());
        fields.opt_text("unique_key", job.unique_key.as_ref());
        fields.opt_text("unique_active_key", job.unique_active_key.as_ref());
    })
}

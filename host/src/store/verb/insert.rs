//! Jobs come in: inserted, or found to be there already.

use std::collections::HashMap;

use crate::job::{JobId, NewJob};
use crate::store::batch::{Wire, cuts, join, texts};
use crate::store::dialect::{Dialect, Outcome, Session};
use crate::store::fault::{Blame, Fault};
use crate::store::sql_store::SqlStore;
use crate::store::statements::Statements;
use crate::store::{Inserted, Result};

const DOING: &str = "inserting jobs";
/// How often a taken key is looked for whose holder went away between two statements.
const ROUNDS: usize = 3;
/// Jobs of one statement at most.
const MOST: usize = 5000;

/// Jobs in the form that the statements take.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoded {
    ids: Vec<JobId>,
    jobs: Vec<String>,
    keys: Vec<String>,
}

impl Encoded {
    /// In the order of their keys, so that two writers of the same keys wait for each other in one order.
    pub(super) fn new(wire: Wire, jobs: &[NewJob]) -> Self {
        let mut sorted: Vec<&NewJob> = jobs.iter().collect();
        sorted.sort_by(|a, b| {
            (&a.unique_key, &a.unique_active_key).cmp(&(&b.unique_key, &b.unique_active_key))
        });
        Self {
            ids: sorted.iter().map(|job| job.id).collect(),
            jobs: sorted.iter().map(|job| encode(wire, job)).collect(),
            keys: sorted.iter().map(|job| encode_keys(wire, job)).collect(),
        }
    }

    /// Inserts them, in the order of the caller's transaction; answers by id.
    pub(super) async fn insert(
        mut self,
        session: &mut dyn Session,
        statements: &Statements,
    ) -> Outcome<HashMap<JobId, Inserted>> {
        let mut answers = HashMap::with_capacity(self.ids.len());
        for _ in 0..ROUNDS {
            for range in cuts(&self.jobs, MOST) {
                let rows = session.run(statements.insert, vec![join(&self.jobs[range]).into()]).await?;
                for mut row in rows {
                    let id = row.id("id")?;
                    answers.insert(id, Inserted::New(id));
                }
            }
            self.retain(|id| !answers.contains_key(&id));
            self.find(session, statements, &mut answers).await?;
            self.retain(|id| !answers.contains_key(&id));
            if self.ids.is_empty() {
                return Ok(answers);
            }
        }
        Err(Fault::Database(sqlx::Error::RowNotFound))
    }

    /// Looks for those that are there, or whose key is held.
    pub(super) async fn find(
        &self,
        session: &mut dyn Session,
        statements: &Statements,
        answers: &mut HashMap<JobId, Inserted>,
    ) -> Outcome<()> {
        for range in cuts(&self.keys, MOST) {
            let rows = session.run(statements.insert_find, vec![join(&self.keys[range]).into()]).await?;
            for mut row in rows {
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

    fn retain(&mut self, keep: impl Fn(JobId) -> bool) {
        let kept: Vec<bool> = self.ids.iter().map(|id| keep(*id)).collect();
        let mut at = kept.iter();
        self.jobs.retain(|_| *at.next().unwrap_or(&false));
        let mut at = kept.iter();
        self.keys.retain(|_| *at.next().unwrap_or(&false));
        self.ids.retain(|id| keep(*id));
    }
}

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn insert_jobs(&self, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = Encoded::new(D::WIRE, jobs);
        let mut round = 1;
        let answers = loop {
            match self.insert_once(encoded.clone()).await {
                Ok(answers) => break answers,
                Err(fault) if fault.blame() == Blame::Race && round < ROUNDS => round += 1,
                Err(fault) => return Err(fault.told(DOING)),
            }
        };
        let inserted = |job: &NewJob| answers.get(&job.id) == Some(&Inserted::New(job.id));
        self.ring_for(jobs.iter().filter(|job| inserted(job)).map(|job| (job.state, Some(job.scheduled_at))));
        Ok(jobs.iter().map(|job| answers.get(&job.id).copied().unwrap_or(Inserted::New(job.id))).collect())
    }

    async fn insert_once(&self, encoded: Encoded) -> Outcome<HashMap<JobId, Inserted>> {
        let statements = self.db.statements().clone();
        // One statement is whole by itself; several are whole together.
        let several = cuts(&encoded.jobs, MOST).len() > 1;
        if several {
            self.db.transact(move |s| Box::pin(async move { encoded.insert(s, &statements).await })).await
        } else {
            self.db.alone(move |s| Box::pin(async move { encoded.insert(s, &statements).await })).await
        }
    }
}

fn encode(wire: Wire, job: &NewJob) -> String {
    wire.item(|fields| {
        fields.id("id", job.id.uuid());
        fields.text("kind", &job.kind);
        fields.text("queue", &job.queue);
        fields.text("args", job.args.as_str());
        fields.number("priority", job.priority);
        fields.text("state", job.state.as_str());
        fields.time("created_at", job.created_at);
        fields.time("scheduled_at", job.scheduled_at);
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
        fields.json("tags", &texts(&job.tags));
        fields.text("metadata", job.metadata.as_str());
    })
}

fn encode_keys(wire: Wire, job: &NewJob) -> String {
    wire.item(|fields| {
        fields.id("id", job.id.uuid());
        fields.opt_text("unique_key", job.unique_key.as_ref());
        fields.opt_text("unique_active_key", job.unique_active_key.as_ref());
    })
}

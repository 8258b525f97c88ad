//! What must hold at every moment, asked of the tables in the middle of the storm: each law is a count of what breaks it.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use flyball::Client;
use flyball::job::{JobId, JobRecord, JobState};
use flyball::store::{Database, JobFilter, Selection};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

const LAWS: [(&str, &str); 6] = [
    (
        "what runs has a run row that has started, under its token",
        "SELECT count(*) FROM flyball.jobs AS j WHERE j.state = 'running' AND NOT EXISTS (SELECT 1 FROM \
         flyball.job_runs AS r WHERE r.id = j.lease_token AND r.job_id = j.id AND r.attempt = j.attempt AND \
         r.outcome = 'started')",
    ),
    (
        "a run that has started and not ended is that of a job that runs",
        "SELECT count(*) FROM flyball.job_runs AS r WHERE r.outcome = 'started' AND NOT EXISTS (SELECT 1 FROM \
         flyball.jobs AS j WHERE j.lease_token = r.id AND j.id = r.job_id AND j.state = 'running')",
    ),
    (
        "no job has succeeded twice",
        "SELECT count(*) FROM (SELECT r.job_id FROM flyball.job_runs AS r WHERE r.outcome = 'success' GROUP BY \
         r.job_id HAVING count(*) > 1) AS twice",
    ),
    (
        "who has succeeded has a run that says so",
        "SELECT count(*) FROM flyball.jobs AS j WHERE j.state = 'succeeded' AND NOT EXISTS (SELECT 1 FROM \
         flyball.job_runs AS r WHERE r.job_id = j.id AND r.outcome = 'success' AND r.settled_by = 'owner')",
    ),
    (
        "no barrier has fired twice",
        "SELECT count(*) FROM (SELECT j.continues_run_id FROM flyball.jobs AS j WHERE j.continues_run_id IS NOT \
         NULL GROUP BY j.continues_run_id HAVING count(*) > 1) AS twice",
    ),
    (
        "a barrier has fired or waits for somebody",
        "SELECT count(*) FROM flyball.barriers AS b WHERE NOT EXISTS (SELECT 1 FROM flyball.jobs AS j WHERE \
         j.parent_run_id = b.run_id AND j.awaited AND j.finalized_at IS NULL)",
    ),
];

/// Who asks.
pub(crate) struct Laws {
    url: String,
    database: Database,
    client: Client,
    /// Jobs as they had ended when they were looked at.
    pub(crate) ended: BTreeMap<JobId, JobRecord>,
    pub(crate) asked: usize,
}

impl Laws {
    pub(crate) fn new(url: &str, database: Database, client: Client) -> Self {
        Self { url: url.to_owned(), database, client, ended: BTreeMap::new(), asked: 0 }
    }

    /// Asks all of them; where the database does not answer, nothing is known.
    ///
    /// # Errors
    /// Names the law that is broken.
    pub(crate) async fn ask(&mut self) -> Result<()> {
        for (law, broken) in LAWS {
            let Ok(count) = self.count(broken).await else { return Ok(()) };
            ensure!(count == 0, "{count} times it does not hold that {law}");
        }
        let terminal: Vec<JobState> =
            JobState::ALL.iter().copied().filter(|state| state.is_terminal()).collect();
        let ended = Selection::default().in_states(terminal);
        let newest = JobFilter { selection: ended, before: None, limit: 1000 };
        if let Ok(jobs) = self.client.list(&newest).await {
            for job in jobs {
                self.ended.entry(job.id).or_insert(job);
            }
        }
        self.asked += 1;
        Ok(())
    }

    async fn count(&self, sql: &str) -> sqlx::Result<i64> {
        match self.database {
            Database::Sqlite => {
                let path = self.url.trim_start_matches("sqlite:");
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
                let mut connection = SqliteConnection::connect_with(&options).await?;
                let sql = AssertSqlSafe(sql.replace("flyball.", ""));
                let count = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(count)
            }
            Database::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await?;
                let count =
                    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(count)
            }
        }
    }
}

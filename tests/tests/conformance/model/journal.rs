//! The log of every change of state, which triggers keep beside the store's back; nothing in it is ever changed.

use std::collections::BTreeMap;

use flyball::job::{JobId, JobState};
use flyball::store::Database;
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection};

use crate::world::World;

/// What a job went through: from nothing, or from a state, to a state.
pub(super) type Changes = BTreeMap<JobId, Vec<(Option<JobState>, JobState)>>;

const SQLITE: &str = "
    CREATE TABLE journal (seq integer PRIMARY KEY, job text NOT NULL, was text, became text NOT NULL);
    CREATE TRIGGER journal_in AFTER INSERT ON jobs BEGIN
        INSERT INTO journal (job, was, became) VALUES (new.id, NULL, new.state);
    END;
    CREATE TRIGGER journal_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
        INSERT INTO journal (job, was, became) VALUES (new.id, old.state, new.state);
    END;";

const POSTGRES: &str = "
    CREATE TABLE flyball.journal (seq bigserial PRIMARY KEY, job uuid NOT NULL, was text, became text NOT NULL);
    CREATE FUNCTION flyball.journal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO flyball.journal (job, was, became)
        VALUES (new.id, CASE WHEN TG_OP = 'UPDATE' THEN old.state END, new.state);
        RETURN NULL;
    END $$;
    CREATE TRIGGER journal_in AFTER INSERT ON flyball.jobs FOR EACH ROW EXECUTE FUNCTION flyball.journal();
    CREATE TRIGGER journal_moved AFTER UPDATE ON flyball.jobs FOR EACH ROW
        WHEN (old.state IS DISTINCT FROM new.state) EXECUTE FUNCTION flyball.journal();";

const TABLES: [&str; 8] =
    ["jobs", "job_runs", "run_logs", "barriers", "checkpoints", "nodes", "operator_actions", "journal"];

enum Road {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

pub(super) struct Journal(Road);

impl Journal {
    pub(super) async fn keep(world: &World) -> Self {
        let road = match world.database {
            Database::Sqlite => {
                let mut road = world.sqlite().await;
                sqlx::raw_sql(SQLITE).execute(&mut road).await.expect("triggers");
                Road::Sqlite(road)
            }
            Database::Postgres => {
                let mut road = PgConnection::connect(&world.url).await.expect("connected");
                sqlx::raw_sql(POSTGRES).execute(&mut road).await.expect("triggers");
                Road::Postgres(road)
            }
        };
        Self(road)
    }

    /// Begins anew, with an empty database.
    pub(super) async fn forget(&mut self) {
        let statements = |schema: &str| {
            TABLES.iter().map(|table| format!("DELETE FROM {schema}{table};")).collect::<String>()
        };
        match &mut self.0 {
            Road::Sqlite(road) => {
                let sql = sqlx::AssertSqlSafe(format!("BEGIN IMMEDIATE; {} COMMIT;", statements("")));
                sqlx::raw_sql(sql).execute(road).await.map(drop).expect("emptied");
            }
            Road::Postgres(road) => {
                let sql = sqlx::AssertSqlSafe(statements("flyball."));
                sqlx::raw_sql(sql).execute(road).await.map(drop).expect("emptied");
            }
        }
    }

    pub(super) async fn read(&mut self) -> Changes {
        let mut changes = Changes::new();
        let mut told = |job: String, was: Option<String>, became: String| {
            let state = |word: String| word.parse::<JobState>().expect("a state");
            let job: JobId = job.parse().expect("an id");
            changes.entry(job).or_default().push((was.map(state), state(became)));
        };
        match &mut self.0 {
            Road::Sqlite(road) => {
                let rows = sqlx::query("SELECT job, was, became FROM journal ORDER BY seq").fetch_all(road);
                for row in rows.await.expect("read") {
                    told(row.get(0), row.get(1), row.get(2));
                }
            }
            Road::Postgres(road) => {
                let rows = sqlx::query("SELECT job::text, was, became FROM flyball.journal ORDER BY seq");
                for row in rows.fetch_all(road).await.expect("read") {
                    told(row.get(0), row.get(1), row.get(2));
                }
            }
        }
        changes
    }
}

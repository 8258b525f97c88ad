//! How the databases go about it, at more than a hundred thousand jobs: by the index that was made for it, whether or
//! not statistics were gathered, and never through the whole table.

use flyball::store::{Database, probe};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, SqliteConnection};

use crate::world::World;

/// The indexes of the states: each finds the jobs that are in it.
const STATES: &[&str] = &[
    "jobs_claim",
    "jobs_last_chance",
    "jobs_blocked",
    "jobs_due",
    "jobs_running",
    "jobs_paused",
    "jobs_finalized",
];

/// Statements, and indexes that each must go by.
const PLANS: &[(Database, &str, &[&str])] = &[
    (Database::Postgres, "claim", &["jobs_claim", "jobs_last_chance", "jobs_pkey", "job_runs_pkey"]),
    (Database::Postgres, "claim_last_chance", &["jobs_last_chance", "jobs_pkey", "job_runs_pkey"]),
    (Database::Postgres, "settle", &["jobs_pkey", "job_runs_pkey"]),
    (Database::Postgres, "promote", &["jobs_due", "jobs_pkey"]),
    (Database::Postgres, "next_due", &["jobs_due"]),
    (Database::Postgres, "limit_lines", &["jobs_blocked", "jobs_permits"]),
    (Database::Postgres, "limit_put_running", &["jobs_running", "jobs_pkey"]),
    (Database::Postgres, "limit_walk_see", &["jobs_pkey"]),
    (Database::Postgres, "limit_walk_put", &["jobs_pkey"]),
    (Database::Postgres, "limit_keys_forget", &["jobs_blocked", "jobs_permits", "limit_keys_pkey"]),
    (Database::Postgres, "turn_count", &["jobs_permits", "limit_keys_pkey"]),
    (Database::Postgres, "turn_admit", &["jobs_blocked", "jobs_pkey"]),
    (Database::Postgres, "turn_note", &["jobs_blocked", "limit_keys_pkey"]),
    (Database::Postgres, "turns_due", &["limit_keys_next", "limit_turns_pkey"]),
    (Database::Postgres, "running", &["jobs_running"]),
    (Database::Postgres, "running_free", &["jobs_running"]),
    (Database::Postgres, "orphans", &["jobs_running"]),
    (Database::Postgres, "sweep_overdue", &["jobs_running"]),
    (Database::Postgres, "cancels", &["jobs_running"]),
    (Database::Postgres, "renew_compare", &["jobs_running"]),
    (Database::Postgres, "node_renew", &["jobs_running", "jobs_pkey"]),
    (Database::Postgres, "insert_find", &["jobs_pkey", "jobs_unique_key", "jobs_unique_active_key"]),
    (Database::Postgres, "late_note", &["job_runs_pkey"]),
    (Database::Postgres, "late_read", &["job_runs_pkey", "jobs_pkey"]),
    (Database::Postgres, "children", &["job_runs_pkey"]),
    (Database::Postgres, "families", &["jobs_family"]),
    (Database::Postgres, "ended", &["jobs_pkey", "job_runs_attempt"]),
    (Database::Postgres, "barriers_lock", &["barriers_pkey"]),
    (Database::Postgres, "barriers_fire", &["barriers_pkey", "jobs_awaited"]),
    (Database::Postgres, "barriers_drop", &["barriers_pkey", "barriers_job"]),
    (Database::Postgres, "continued", &["jobs_parent", "job_runs_attempt"]),
    (Database::Postgres, "checkpoint", &["checkpoints_pkey"]),
    (Database::Postgres, "checkpoint_save", &["jobs_pkey"]),
    (Database::Postgres, "checkpoints_drop", &["checkpoints_pkey"]),
    (Database::Postgres, "progress", &["job_runs_pkey"]),
    (Database::Postgres, "jobs_lock", &["jobs_pkey"]),
    (Database::Postgres, "cancel_waiting", &["jobs_pkey"]),
    (Database::Postgres, "cancel_running", &["jobs_pkey"]),
    (Database::Postgres, "retry", &["jobs_pkey", "jobs_unique_active_key"]),
    (Database::Postgres, "list", &["jobs_pkey"]),
    (Database::Postgres, "list_children", &["jobs_parent"]),
    (Database::Postgres, "list_these", &["jobs_pkey"]),
    (Database::Postgres, "select", &["jobs_pkey"]),
    (Database::Postgres, "select_children", &["jobs_parent"]),
    (Database::Postgres, "select_these", &["jobs_pkey"]),
    (Database::Postgres, "walk", &["jobs_pkey"]),
    (Database::Postgres, "rare", STATES),
    (Database::Postgres, "keyed", &["jobs_unique_key", "jobs_unique_active_key"]),
    (Database::Postgres, "pause", &["jobs_pkey"]),
    (Database::Postgres, "reprioritise", &["jobs_pkey"]),
    (Database::Postgres, "reschedule", &["jobs_pkey"]),
    (Database::Postgres, "ahead", &["jobs_claim"]),
    (Database::Postgres, "last_run", &["job_runs_attempt"]),
    (Database::Postgres, "doomed", &["jobs_pkey", "barriers_job", "barriers_pkey", "jobs_continues"]),
    (Database::Postgres, "resume", &["jobs_pkey"]),
    (Database::Postgres, "replay", &["jobs_pkey", "jobs_unique_active_key"]),
    (Database::Postgres, "barriers_drop", &["barriers_job"]),
    (Database::Postgres, "runs", &["job_runs_attempt"]),
    (Database::Postgres, "run", &["job_runs_pkey"]),
    (Database::Postgres, "log", &["run_logs_pkey"]),
    (Database::Postgres, "log_tail", &["run_logs_pkey"]),
    (Database::Postgres, "batch", &["jobs_parent"]),
    (Database::Postgres, "failures", &["jobs_finalized", "jobs_due", "job_runs_attempt"]),
    (Database::Postgres, "schedules_due", &["schedules_due"]),
    (Database::Postgres, "schedules_next", &["schedules_due"]),
    (Database::Postgres, "schedule_fired", &["schedules_pkey"]),
    (Database::Postgres, "prune_find", &["jobs_finalized"]),
    (Database::Postgres, "prune_hold", &["jobs_pkey", "barriers_job", "barriers_pkey", "jobs_continues"]),
    (Database::Postgres, "prune_weigh", &["job_runs_attempt", "run_logs_pkey", "checkpoints_pkey"]),
    (Database::Postgres, "prune_logs", &["job_runs_attempt", "run_logs_pkey"]),
    (Database::Postgres, "prune_runs", &["job_runs_attempt", "job_runs_pkey"]),
    (Database::Postgres, "prune_checkpoints", &["checkpoints_pkey"]),
    (Database::Postgres, "prune_jobs", &["jobs_pkey"]),
    (Database::Postgres, "prune_old_logs", &["run_logs_pkey"]),
    (Database::Postgres, "prune_log_queues", &["job_runs_pkey", "jobs_pkey"]),
    (Database::Postgres, "prune_lines", &["run_logs_pkey"]),
    (
        Database::Sqlite,
        "claim_look",
        &["jobs_last_chance", "sqlite_autoindex_job_runs_1", "sqlite_autoindex_jobs_1"],
    ),
    (Database::Sqlite, "claim_walk", &["jobs_claim", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "claim_walk_last_chance", &["jobs_last_chance", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "claim_take", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "claim_begin", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "settle_runs", &["sqlite_autoindex_job_runs_1", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "settle_jobs", &["sqlite_autoindex_jobs_1", "job_runs_attempt"]),
    (Database::Sqlite, "settle_logs", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "promote", &["jobs_due", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "next_due", &["jobs_due"]),
    (Database::Sqlite, "limit_lines", &["jobs_blocked", "jobs_permits"]),
    (Database::Sqlite, "limit_put_running", &["jobs_running", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "limit_walk_see", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "limit_walk_put", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "limit_keys_forget", &["jobs_blocked", "jobs_permits"]),
    (Database::Sqlite, "turn_count", &["jobs_permits", "sqlite_autoindex_limit_keys_1"]),
    (Database::Sqlite, "turn_admit", &["jobs_blocked", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "turn_note", &["jobs_blocked"]),
    (Database::Sqlite, "turns_due", &["limit_keys_next"]),
    (Database::Sqlite, "claim_charge", &["sqlite_autoindex_limit_keys_1"]),
    (Database::Sqlite, "running", &["jobs_running"]),
    (Database::Sqlite, "running_free", &["jobs_running"]),
    (Database::Sqlite, "orphans", &["jobs_running"]),
    (Database::Sqlite, "cancels", &["jobs_running"]),
    (Database::Sqlite, "renew_compare", &["jobs_running"]),
    (
        Database::Sqlite,
        "insert_find",
        &["sqlite_autoindex_jobs_1", "jobs_unique_key", "jobs_unique_active_key"],
    ),
    (Database::Sqlite, "late_note", &["sqlite_autoindex_job_runs_1"]),
    (Database::Sqlite, "late_read", &["sqlite_autoindex_job_runs_1", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "children", &["sqlite_autoindex_job_runs_1"]),
    (Database::Sqlite, "families", &["jobs_family"]),
    (Database::Sqlite, "ended", &["sqlite_autoindex_jobs_1", "job_runs_attempt"]),
    (Database::Sqlite, "barriers_lock", &["sqlite_autoindex_barriers_1"]),
    (Database::Sqlite, "barriers_fire", &["sqlite_autoindex_barriers_1", "jobs_awaited"]),
    (Database::Sqlite, "barriers_drop", &["barriers_job"]),
    (Database::Sqlite, "continued", &["jobs_parent", "job_runs_attempt"]),
    (Database::Sqlite, "checkpoint", &["sqlite_autoindex_checkpoints_1"]),
    (Database::Sqlite, "checkpoint_save", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "checkpoints_drop", &["sqlite_autoindex_checkpoints_1"]),
    (Database::Sqlite, "progress", &["sqlite_autoindex_job_runs_1"]),
    (Database::Sqlite, "jobs_lock", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "cancel_waiting", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "cancel_running", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "retry", &["sqlite_autoindex_jobs_1", "jobs_unique_active_key"]),
    (Database::Sqlite, "list", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "list_children", &["jobs_parent"]),
    (Database::Sqlite, "list_these", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "select", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "select_children", &["jobs_parent"]),
    (Database::Sqlite, "select_these", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "waiting", &["jobs_claim", "jobs_last_chance", "jobs_due"]),
    (Database::Sqlite, "walk", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "rare", STATES),
    (Database::Sqlite, "keyed", &["jobs_unique_key", "jobs_unique_active_key"]),
    (Database::Sqlite, "pause", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "ahead", &["jobs_claim"]),
    (Database::Sqlite, "last_run", &["job_runs_attempt"]),
    (Database::Sqlite, "reprioritise", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "reschedule", &["sqlite_autoindex_jobs_1"]),
    (
        Database::Sqlite,
        "doomed",
        &["sqlite_autoindex_jobs_1", "barriers_job", "sqlite_autoindex_barriers_1", "jobs_continues"],
    ),
    (Database::Sqlite, "resume", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "replay", &["sqlite_autoindex_jobs_1", "jobs_unique_active_key"]),
    (Database::Sqlite, "barriers_drop", &["barriers_job"]),
    (Database::Sqlite, "runs", &["job_runs_attempt"]),
    (Database::Sqlite, "run", &["sqlite_autoindex_job_runs_1"]),
    (Database::Sqlite, "log", &["sqlite_autoindex_run_logs_1"]),
    (Database::Sqlite, "log_tail", &["sqlite_autoindex_run_logs_1"]),
    (Database::Sqlite, "batch", &["jobs_parent"]),
    (Database::Sqlite, "failures", &["jobs_finalized", "jobs_due", "job_runs_attempt"]),
    (Database::Sqlite, "schedule_take", &["sqlite_autoindex_schedules_1"]),
    (Database::Sqlite, "schedules_due", &["schedules_due"]),
    (Database::Sqlite, "schedules_next", &["schedules_due"]),
    (Database::Sqlite, "schedule_fired", &["sqlite_autoindex_schedules_1"]),
    (Database::Sqlite, "prune_find", &["jobs_finalized"]),
    (
        Database::Sqlite,
        "prune_hold",
        &["sqlite_autoindex_jobs_1", "barriers_job", "sqlite_autoindex_barriers_1", "jobs_continues"],
    ),
    (Database::Sqlite, "prune_weigh", &["job_runs_attempt", "sqlite_autoindex_run_logs_1"]),
    (Database::Sqlite, "prune_logs", &["job_runs_attempt", "sqlite_autoindex_run_logs_1"]),
    (Database::Sqlite, "prune_runs", &["job_runs_attempt"]),
    (Database::Sqlite, "prune_checkpoints", &["sqlite_autoindex_checkpoints_1"]),
    (Database::Sqlite, "prune_jobs", &["sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "prune_old_logs", &["sqlite_autoindex_run_logs_1"]),
    (Database::Sqlite, "prune_log_queues", &["sqlite_autoindex_job_runs_1", "sqlite_autoindex_jobs_1"]),
    (Database::Sqlite, "prune_lines", &["sqlite_autoindex_run_logs_1"]),
    (
        Database::Sqlite,
        "counts",
        &["jobs_claim", "jobs_last_chance", "jobs_blocked", "jobs_due", "jobs_running", "jobs_finalized"],
    ),
    (Database::Sqlite, "lanes", &["jobs_claim", "jobs_last_chance"]),
    (
        Database::Sqlite,
        "health",
        &[
            "jobs_claim",
            "jobs_last_chance",
            "jobs_blocked",
            "COVERING INDEX jobs_due",
            "jobs_running",
            "COVERING INDEX jobs_paused",
            "jobs_finalized",
        ],
    ),
];

/// A hundred thousand jobs that have ended with their runs, thirty thousand that wait in several lanes, ten thousand
/// that are due later, two hundred that run.
const FILL_POSTGRES: &str = "
ALTER TABLE flyball.jobs SET (autovacuum_enabled = false);
ALTER TABLE flyball.job_runs SET (autovacuum_enabled = false);
INSERT INTO flyball.jobs (id, kind, queue, args, priority, state, attempt, created_at, scheduled_at, finalized_at,
    node_id, lease_token, deadline_at, unique_key, unique_active_key, limit_key, blocked_by)
SELECT gen_random_uuid(), 'k' || n % 7, 'q' || n % 3, '{}', n % 5, s.state, 1, now(), now() + n * interval '1 ms',
    CASE WHEN s.state IN ('succeeded', 'discarded') THEN now() END,
    CASE WHEN s.state = 'running' THEN '00000000-0000-0000-0000-000000000001'::uuid END,
    CASE WHEN s.state = 'running' THEN gen_random_uuid() END,
    CASE WHEN s.state = 'running' THEN now() END,
    CASE WHEN n % 50 = 0 THEN 'u' || n END, CASE WHEN n % 50 = 1 THEN 'a' || n END,
    CASE WHEN n > 120000 THEN 't:' || n % 1000 END, CASE WHEN n BETWEEN 120001 AND 130000 AND n % 9 > 0 THEN 't:' || n % 1000 END
FROM generate_series(1, 140200) n
CROSS JOIN LATERAL (SELECT CASE WHEN n <= 100000 THEN CASE WHEN n % 10 = 0 THEN 'discarded' ELSE 'succeeded' END
    WHEN n <= 130000 THEN 'available' WHEN n <= 140000 THEN 'scheduled' ELSE 'running' END AS state) s;
INSERT INTO flyball.job_runs (id, job_id, attempt, node_id, started_at, outcome, settled_by, finished_at)
SELECT coalesce(lease_token, gen_random_uuid()), id, 1, '00000000-0000-0000-0000-000000000001', now(),
    CASE WHEN state = 'running' THEN 'started' ELSE 'success' END,
    CASE WHEN state <> 'running' THEN 'owner' END, CASE WHEN state <> 'running' THEN now() END
FROM flyball.jobs WHERE state IN ('succeeded', 'discarded', 'running');
INSERT INTO flyball.run_logs (run_id, seq, at, level, message) SELECT id, 0, now(), 'info', '' FROM flyball.job_runs;
INSERT INTO flyball.barriers (run_id, job_id, continuation, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), '{}', now() FROM generate_series(1, 20000);
INSERT INTO flyball.schedules (slug, kind, args, queue, priority, every_ms, origin, next_at, created_at, updated_at)
SELECT 's' || n, 'k', '{}', 'default', 100, 1000, 'operator', now() + n * interval '1 s', now(), now()
FROM generate_series(1, 100000) n;
INSERT INTO flyball.limit_keys (key, filled_at, next_at)
SELECT 't:' || n, now(), CASE WHEN n % 20 = 0 THEN now() END FROM generate_series(1, 20000) n;
";

const FILL_SQLITE: &str = "
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 140200),
s AS (SELECT n, CASE WHEN n <= 100000 THEN CASE WHEN n % 10 = 0 THEN 'discarded' ELSE 'succeeded' END
    WHEN n <= 130000 THEN 'available' WHEN n <= 140000 THEN 'scheduled' ELSE 'running' END AS state FROM n)
INSERT INTO jobs (id, kind, queue, args, priority, state, attempt, created_at, scheduled_at, finalized_at,
    node_id, lease_token, deadline_at, unique_key, unique_active_key, limit_key, blocked_by)
SELECT lower(hex(randomblob(16))), 'k' || n % 7, 'q' || n % 3, '{}', n % 5, state, 1, 1, n,
    CASE WHEN state IN ('succeeded', 'discarded') THEN 1 END, CASE WHEN state = 'running' THEN 'node' END,
    CASE WHEN state = 'running' THEN lower(hex(randomblob(16))) END, CASE WHEN state = 'running' THEN 1 END,
    CASE WHEN n % 50 = 0 THEN 'u' || n END, CASE WHEN n % 50 = 1 THEN 'a' || n END,
    CASE WHEN n > 120000 THEN 't:' || n % 1000 END,
    CASE WHEN n BETWEEN 120001 AND 130000 AND n % 9 > 0 THEN 't:' || n % 1000 END
FROM s;
INSERT INTO job_runs (id, job_id, attempt, node_id, started_at, outcome, settled_by, finished_at)
SELECT coalesce(lease_token, lower(hex(randomblob(16)))), id, 1, 'node', 1,
    CASE WHEN state = 'running' THEN 'started' ELSE 'success' END,
    CASE WHEN state <> 'running' THEN 'owner' END, CASE WHEN state <> 'running' THEN 1 END
FROM jobs WHERE state IN ('succeeded', 'discarded', 'running');
INSERT INTO run_logs (run_id, seq, at, level, message) SELECT id, 0, 1, 'info', '' FROM job_runs;
INSERT INTO barriers (run_id, job_id, continuation, created_at) SELECT id, job_id, '{}', 1 FROM job_runs LIMIT 20000;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)
INSERT INTO schedules (slug, kind, args, queue, priority, every_ms, origin, next_at, created_at, updated_at)
SELECT 's' || n, 'k', '{}', 'default', 100, 1000, 'operator', n, 1, 1 FROM n;
INSERT INTO limit_keys (key, filled_at, next_at)
SELECT 't:' || n, 1, CASE WHEN n % 20 = 0 THEN n END
FROM (SELECT row_number() OVER () AS n FROM job_runs LIMIT 20000);
";

#[tokio::test]
async fn postgres_goes_by_the_index_that_was_made_for_it() {
    let Some(world) = World::new(Database::Postgres).await else { return };
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    connection.execute(sqlx::raw_sql(SETTINGS)).await.unwrap();
    let mut wrong = Vec::new();
    // A plan that was made while the tables were empty is kept while they fill.
    for when in ["when empty", "before statistics", "after statistics"] {
        for (name, text) in probe::statements(Database::Postgres) {
            let plan = explain_postgres(&mut connection, text).await;
            let whole =
                ["Seq Scan on jobs", "Seq Scan on job_runs", "Seq Scan on run_logs", "Seq Scan on barriers"];
            check(Database::Postgres, name, &plan, &whole, when, &mut wrong);
            wrong.extend(whole_index(&plan).map(|line| format!("{name}, {when}: {line}\n{plan}")));
        }
        let next = if when == "when empty" { FILL_POSTGRES } else { "ANALYZE" };
        connection.execute(sqlx::raw_sql(next)).await.unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test]
async fn postgres_counts_what_waits_without_its_rows() {
    let Some(world) = World::new(Database::Postgres).await else { return };
    let mut connection = PgConnection::connect(&world.url).await.unwrap();
    connection.execute(sqlx::raw_sql(SETTINGS)).await.unwrap();
    connection.execute(sqlx::raw_sql(FILL_POSTGRES)).await.unwrap();
    let health = probe::statements(Database::Postgres).into_iter().find(|(name, _)| *name == "health");
    let health = health.expect("it is there").1;
    let counted = async || {
        // Whoever still looks at what was before holds up what a vacuum marks as seen by all.
        connection.execute("VACUUM ANALYZE flyball.jobs").await.unwrap();
        let plan = explain_postgres(&mut connection, health).await;
        let without = |index: &&str| !plan.contains(&format!("Index Only Scan using {index} on jobs"));
        let missing = ["jobs_claim", "jobs_due", "jobs_paused"].into_iter().find(without);
        missing.map_or(Ok(true), |index| Err(anyhow::anyhow!("not by {index} alone:\n{plan}")))
    };
    flyball_tests::eventually(flyball_tests::GENEROUS, "an index alone to be read", counted).await.unwrap();
}

/// As every connection of the store has it.
const SETTINGS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off";

/// A scan that goes through all of a primary key, from one end to the other.
fn whole_index(plan: &str) -> Option<&str> {
    let mut lines = plan.lines().zip(plan.lines().skip(1).chain([""]));
    let whole = |(line, next): &(&str, &str)| line.contains("_pkey on job") && !next.contains("Index Cond");
    lines.find(whole).map(|(line, _)| line.trim())
}

async fn explain_postgres(connection: &mut PgConnection, text: &str) -> String {
    let count = (1..20).filter(|n| text.contains(&format!("${n}"))).count();
    let nulls = vec!["NULL"; count].join(", ");
    let values = if count == 0 { String::new() } else { format!("({nulls})") };
    connection.execute(sqlx::raw_sql(AssertSqlSafe(format!("PREPARE plan AS {text}")))).await.unwrap();
    let explain = format!("EXPLAIN EXECUTE plan{values}");
    let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(explain))).await.unwrap();
    connection.execute("DEALLOCATE plan").await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn sqlite_goes_by_the_index_that_was_made_for_it() {
    let world = World::new(Database::Sqlite).await.unwrap();
    let mut connection = world.sqlite().await;
    connection.execute(sqlx::raw_sql(FILL_SQLITE)).await.unwrap();
    let mut wrong = Vec::new();
    for when in ["before statistics", "after statistics"] {
        for (name, text) in probe::statements(Database::Sqlite) {
            let plan = explain_sqlite(&mut connection, text).await;
            // A scan that names no index goes through the table; the aliases are those of our statements.
            let scans = [
                "SCAN jobs\n",
                "SCAN j\n",
                "SCAN o\n",
                "SCAN n\n",
                "SCAN job_runs\n",
                "SCAN r\n",
                "SCAN l\n",
                "SCAN b\n",
                "SCAN barriers\n",
                "SCAN run_logs\n",
            ];
            check(Database::Sqlite, name, &plan, &scans, when, &mut wrong);
        }
        connection.execute("ANALYZE").await.unwrap();
        // Statistics are read when a connection is made.
        connection = world.sqlite().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

async fn explain_sqlite(connection: &mut SqliteConnection, text: &str) -> String {
    let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")));
    let rows =
        (0..20).fold(explain, |explain, _| explain.bind(None::<String>)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
}

fn check(database: Database, name: &str, plan: &str, never: &[&str], when: &str, wrong: &mut Vec<String>) {
    let expected = PLANS.iter().find(|(d, statement, _)| *d == database && *statement == name);
    for index in expected.map(|(.., indexes)| *indexes).unwrap_or_default() {
        if !plan.contains(index) {
            wrong.push(format!("{name}, {when}: not by {index}\n{plan}"));
        }
    }
    // The nodes are few, and `n` names them too. What is counted for people may be counted in the table.
    let few = ["nodes", "policies", "kinds", "orphans", "prune_nodes_count"].contains(&name);
    let counted = ["counts", "lanes", "health"].contains(&name) && database == Database::Postgres;
    for scan in never {
        if plan.contains(scan) && !(few && scan.starts_with("SCAN n")) && !counted {
            wrong.push(format!("{name}, {when}: {}\n{plan}", scan.trim()));
        }
    }
}

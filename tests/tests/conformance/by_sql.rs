//! Enqueueing by SQL alone, on PostgreSQL, by a role that may do nothing else.

use flyball::job::{ErrorClass, JobId, JobState};
use flyball::store::{Database, JobFilter, Selection};
use flyball::wake::Line;
use flyball_tests::{GENEROUS, eventually};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::world::{World, failed, kind};

/// A database with a role that may enqueue and nothing else, and a connection of that role.
async fn ground() -> Option<(World, PgConnection)> {
    let world = World::new(Database::Postgres).await?;
    // Roles belong to the whole server, where other tests run.
    let role = format!("app_{}", JobId::mint(world.now()).to_string().replace('-', ""));
    world
        .sql(&format!(
            "CREATE ROLE {role};
             GRANT USAGE ON SCHEMA flyball TO {role};
             GRANT EXECUTE ON FUNCTION flyball.enqueue, flyball.enqueue_many TO {role};"
        ))
        .await;
    let mut app = PgConnection::connect(&world.url).await.unwrap();
    app.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await.unwrap();
    Some((world, app))
}

async fn enqueue_many(app: &mut PgConnection, jobs: &Value) -> sqlx::Result<Vec<(Uuid, bool)>> {
    sqlx::query_as("SELECT id, duplicate FROM flyball.enqueue_many($1)").bind(jobs).fetch_all(app).await
}

fn refusal(result: sqlx::Result<impl std::fmt::Debug>) -> (String, String) {
    match result.expect_err("refused") {
        sqlx::Error::Database(error) => {
            (error.code().unwrap_or_default().into_owned(), error.message().to_owned())
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_role_that_may_do_nothing_else_enqueues_by_sql() {
    let Some((world, mut app)) = ground().await else { return };
    let id: Uuid = sqlx::query_scalar(
        r#"SELECT flyball.enqueue('word-count', '{"text": "a b"}', queue => 'mail', priority => 7, tags => '{a,b}',
                  scheduled_at => '2030-01-31 12:00:00.000001Z', max_attempts => 3, timeout_ms => 1000,
                  fuel => 9000000000, backoff_base_ms => 10, backoff_cap_ms => 20, executor_class => 'gpu',
                  metadata => '{"request_id": "r1"}', unique_key => 'k')"#,
    )
    .fetch_one(&mut app)
    .await
    .unwrap();
    assert_eq!(id.get_version_num(), 7);
    let job = world.read(id.into()).await;
    assert_eq!((job.kind.as_str(), job.queue.as_str(), job.priority), ("word-count", "mail", 7));
    assert_eq!(serde_json::from_str::<Value>(job.args.as_str()).unwrap(), json!({"text": "a b"}));
    assert_eq!(
        (job.state, job.scheduled_at.to_string()),
        (JobState::Scheduled, "2030-01-31T12:00:00.000001Z".into())
    );
    assert_eq!((job.max_attempts, job.timeout_ms, job.fuel), (Some(3), Some(1000), Some(9_000_000_000)));
    assert_eq!((job.backoff_base_ms, job.backoff_cap_ms), (Some(10), Some(20)));
    assert_eq!((job.executor_class.as_str(), job.tags.len()), ("gpu", 2));
    assert_eq!(serde_json::from_str::<Value>(job.metadata.as_str()).unwrap(), json!({"request_id": "r1"}));
    for statement in [
        "SELECT FROM flyball.jobs",
        "INSERT INTO flyball.queues (queue) VALUES ('x')",
        "SELECT flyball.mint_id()",
        "SELECT flyball.job_fault('{}')",
    ] {
        assert_eq!(refusal(app.execute(statement).await).0, "42501", "{statement}");
    }
}

#[tokio::test]
async fn jobs_enqueued_by_sql_run_like_others_in_the_order_of_the_call() {
    let Some((world, mut app)) = ground().await else { return };
    let jobs: Vec<Value> = (0..300).map(|at| json!({"kind": "work", "args": at})).collect();
    let answers = enqueue_many(&mut app, &jobs.into()).await.unwrap();
    let ids: Vec<JobId> = answers.iter().map(|(id, _)| (*id).into()).collect();
    assert!(answers.iter().all(|(_, duplicate)| !duplicate));
    let node = world.node().await;
    let claimed = world.claim(node, 300).await;
    assert_eq!(claimed.iter().map(|claim| claim.job).collect::<Vec<_>>(), ids);
    let args: Vec<String> = claimed.iter().map(|claim| claim.args.as_str().to_owned()).collect();
    assert_eq!(args, (0..300).map(|at| at.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn sql_tells_duplicates_per_item_and_a_repeat_is_the_same_jobs() {
    let Some((world, mut app)) = ground().await else { return };
    let id = JobId::mint(world.now()).uuid();
    let jobs = json!([
        {"kind": "work", "unique_key": "z"},
        {"kind": "work", "unique_active_key": "a"},
        {"kind": "work", "unique_key": "z"},
        {"kind": "work", "id": id},
        {"kind": "work", "id": id},
    ]);
    let first = enqueue_many(&mut app, &jobs).await.unwrap();
    assert_eq!((first[2], first[3], first[4]), ((first[0].0, true), (id, false), (id, false)));
    let again = enqueue_many(&mut app, &jobs).await.unwrap();
    let duplicate = |at: usize| (first[at].0, true);
    assert_eq!(again, [duplicate(0), duplicate(1), duplicate(0), (id, false), (id, false)]);
    let parent: Uuid = sqlx::query_scalar("SELECT flyball.enqueue('work', parent_id => $1)")
        .bind(id)
        .fetch_one(&mut app)
        .await
        .unwrap();
    let child = world.read(parent.into()).await;
    assert_eq!((child.parent_id, child.root_id, child.depth), (Some(id.into()), Some(id.into()), 1));
}

#[tokio::test]
async fn what_sql_asks_for_on_a_discard_is_enqueued_then() {
    let Some((world, mut app)) = ground().await else { return };
    let on_discard = json!([
        {"kind": "work", "on_discard": {"kind": "tell", "args": {"who": "us"}}},
        {"kind": "work", "on_discard": {"kind": "tell"}, "fuel": 1.0},
    ]);
    enqueue_many(&mut app, &on_discard).await.unwrap();
    let node = world.node().await;
    for claim in world.claim(node, 2).await {
        world.end(claim, failed(ErrorClass::Permanent)).await;
    }
    let selection = Selection { kind: Some(kind("tell")), ..Selection::default() };
    let filter = JobFilter { selection, limit: 9, before: None };
    let told = world.store.page(&filter).await.unwrap().jobs;
    let mut args: Vec<&str> = told.iter().map(|job| job.args.as_str()).collect();
    args.sort_unstable();
    assert_eq!(args, [r#"{"who":"us"}"#, "{}"]);
}

#[tokio::test]
async fn what_is_enqueued_by_sql_exists_if_and_only_if_its_transaction_commits() {
    let Some((world, mut app)) = ground().await else { return };
    let mut transaction = app.begin().await.unwrap();
    enqueue_many(&mut transaction, &json!([{"kind": "work"}])).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(world.store.overview(world.now()).await.unwrap().states[&JobState::Available], 0);
}

#[tokio::test]
async fn sql_refuses_what_is_no_job_and_names_the_field() {
    let Some((world, mut app)) = ground().await else { return };
    let long = "x".repeat(600);
    let cases = [
        (json!({}), "kind must be"),
        (json!({"kind": "Work"}), "kind must be"),
        (json!({"kind": "work\n"}), "kind must be"),
        (json!({"kind": 7}), "kind must be a text"),
        (json!({"kind": "work", "queue": ""}), "queue must be"),
        (json!({"kind": "work", "executor_class": "É"}), "executor_class must be"),
        (json!({"kind": "work", "prio": 1}), "prio is not a field"),
        (json!({"kind": "work", "priority": -1}), "priority must be a whole number, 0 to 32767"),
        (json!({"kind": "work", "priority": 1.5}), "priority must be"),
        (json!({"kind": "work", "priority": "1"}), "priority must be"),
        (json!({"kind": "work", "max_attempts": 0}), "max_attempts must be"),
        (json!({"kind": "work", "timeout_ms": 86_400_001}), "timeout_ms must be"),
        (json!({"kind": "work", "fuel": 0}), "fuel must be"),
        (json!({"kind": "work", "backoff_base_ms": 5}), "backoff_base_ms and backoff_cap_ms"),
        (
            json!({"kind": "work", "backoff_base_ms": 5, "backoff_cap_ms": 4}),
            "backoff_base_ms and backoff_cap_ms",
        ),
        (json!({"kind": "work", "unique_key": ""}), "unique_key must be"),
        (json!({"kind": "work", "unique_key": long}), "unique_key must be"),
        (json!({"kind": "work", "unique_active_key": "a\u{1f}b"}), "unique_active_key must be"),
        (json!({"kind": "work", "unique_active_key": "a\u{85}b"}), "unique_active_key must be"),
        (
            json!({"kind": "work", "id": "00000000-0000-4000-8000-000000000000"}),
            "id must be a UUID of version 7",
        ),
        (json!({"kind": "work", "parent_id": "x"}), "parent_id must be"),
        (json!({"kind": "work", "parent_id": JobId::mint(world.now())}), "a job that is named as parent_id"),
        (json!({"kind": "work", "scheduled_at": "soon"}), "scheduled_at must be a time"),
        (json!({"kind": "work", "scheduled_at": "infinity"}), "scheduled_at must be a time of the years"),
        (json!({"kind": "work", "metadata": []}), "metadata must be"),
        (json!({"kind": "work", "metadata": {"a": "x".repeat(8192)}}), "metadata must be"),
        (json!({"kind": "work", "on_discard": "tell"}), "on_discard must be"),
        (json!({"kind": "work", "on_discard": {}}), "on_discard must be"),
        (json!({"kind": "work", "on_discard": {"kind": "tell", "queue": "q"}}), "on_discard must be"),
        (json!({"kind": "work", "tags": "a"}), "tags must be"),
        (json!({"kind": "work", "tags": [1]}), "tags must be"),
        (json!({"kind": "work", "tags": ["x".repeat(65)]}), "tags must be"),
        (json!({"kind": "work", "tags": vec!["x"; 33]}), "tags must be"),
        (json!({"kind": "work", "args": "x".repeat(1 << 20)}), "args must be"),
        (json!("work"), "a job must be a JSON object"),
    ];
    for (job, message) in cases {
        let (code, told) = refusal(enqueue_many(&mut app, &json!([job])).await);
        assert_eq!(code, "22023", "{job}: {told}");
        assert!(told.starts_with(message), "{job}: {told}");
    }
    let (_, told) = refusal(enqueue_many(&mut app, &json!([{"kind": "work"}, {"kind": ""}])).await);
    assert!(told.starts_with("job 2 of 2: kind must be"), "{told}");
    for jobs in [json!({}), json!(vec![json!({"kind": "work"}); 10_001])] {
        assert_eq!(refusal(enqueue_many(&mut app, &jobs).await).0, "22023");
    }
    let (code, _) = refusal(app.execute("SELECT flyball.enqueue(NULL)").await);
    assert_eq!(code, "22023");
    assert_eq!(world.store.overview(world.now()).await.unwrap().states[&JobState::Available], 0);
}

/// A caller that owns the path finds its own functions, tables and operators first.
#[tokio::test]
async fn nothing_that_the_caller_put_into_its_path_is_called_with_the_owners_rights() {
    let Some((world, mut app)) = ground().await else { return };
    world
        .sql(
            "CREATE SCHEMA evil;
             CREATE FUNCTION evil.trap(jsonb) RETURNS text LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
             CREATE FUNCTION evil.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS 'SELECT evil.trap($1)';
             CREATE FUNCTION evil.jsonb_array_length(jsonb) RETURNS integer LANGUAGE sql AS 'SELECT evil.trap($1)::integer';
             CREATE FUNCTION evil.arrow(jsonb, text) RETURNS text LANGUAGE sql AS 'SELECT evil.trap($1)';
             CREATE OPERATOR evil.->> (FUNCTION = evil.arrow, LEFTARG = jsonb, RIGHTARG = text);
             CREATE TABLE evil.jobs (id uuid);
             GRANT USAGE ON SCHEMA evil TO public;
             GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA evil TO public;",
        )
        .await;
    app.execute("SET search_path = evil, pg_catalog").await.unwrap();
    let trapped = refusal(app.execute("SELECT '{}'::jsonb ->> 'a'").await).1;
    assert!(trapped.starts_with("called as app_"), "the trap is set: {trapped}");
    app.execute("SELECT flyball.enqueue('work')").await.expect("not called");
    enqueue_many(&mut app, &json!([{"kind": "work", "tags": ["a"]}])).await.expect("not called");
    assert_eq!(world.store.overview(world.now()).await.unwrap().states[&JobState::Available], 2);
}

#[tokio::test]
async fn a_commit_by_sql_wakes_a_node_that_sleeps() {
    let Some((world, mut app)) = ground().await else { return };
    eventually(GENEROUS, "the store to hear", async || world.store.hears_others()).await.unwrap();
    let mut work = world.store.bell().listen(Line::Work);
    app.execute("SELECT flyball.enqueue('work')").await.unwrap();
    tokio::time::timeout(GENEROUS, work.heard()).await.expect("rung");
}

/// Both wait for each other's keys in one order.
#[tokio::test]
async fn two_callers_of_the_same_keys_get_the_same_jobs() {
    let Some((world, mut app)) = ground().await else { return };
    let mut other = PgConnection::connect(&world.url).await.unwrap();
    for round in 0..50 {
        let keyed = |key: u32| json!({"kind": "work", "unique_key": format!("{round}-{key}")});
        let (up, down): (Vec<_>, Vec<_>) = ((0..20).map(keyed).collect(), (0..20).rev().map(keyed).collect());
        let (up, down) = (Value::from(up), Value::from(down));
        let (up, down) = tokio::join!(enqueue_many(&mut app, &up), enqueue_many(&mut other, &down));
        let (up, mut down) = (up.unwrap(), down.unwrap());
        down.reverse();
        for (one, two) in up.iter().zip(&down) {
            assert_eq!(one.0, two.0);
            assert_ne!(one.1, two.1, "one of the two has inserted it");
        }
    }
}

//! The schema: migrated once by however many ask, checked before it is used.

use flyball::clock::Clock;
use flyball::store::{
    Database, OpenOptions, Role, SchemaMode, StoreError, database_of, migrate, migration_script, migrations,
    open, pending_migrations, probe,
};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::world::{START, World, options, promises};

promises! {
    every_statement_is_one_that_the_database_understands
    a_newer_schema_is_used_only_if_it_allows_this_binary
}

async fn every_statement_is_one_that_the_database_understands(world: World) {
    let statements = probe::statements(world.database);
    assert!(statements.len() > 40);
    let mut wrong = Vec::new();
    for (name, text) in statements {
        let sql = sqlx::SqlStr::from_static(text);
        let prepared = match world.database {
            Database::Sqlite => world.sqlite().await.prepare(sql).await.map(drop),
            Database::Postgres => {
                let mut connection = PgConnection::connect(&world.url).await.unwrap();
                connection.prepare(sql).await.map(drop)
            }
        };
        wrong.extend(prepared.err().map(|error| format!("{name}: {error}")));
        if !text.starts_with("--") {
            wrong.push(format!("{name} does not begin by saying what it does"));
        }
        let bare = ["FROM", "JOIN", "UPDATE", "INTO"].iter().any(|word| {
            let tables = ["jobs", "job_runs", "run_logs", "nodes", "kinds", "queues", "maintenance"];
            tables.iter().any(|table| text.contains(&format!("{word} {table}")))
        });
        if bare != (world.database == Database::Sqlite) && (bare || text.contains("flyball.")) {
            wrong.push(format!("{name}: on PostgreSQL every statement says the schema, on SQLite none does"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn a_newer_schema_is_used_only_if_it_allows_this_binary(world: World) {
    let client = OpenOptions { role: Role::Client, schema: SchemaMode::Check, ..options(&world.clock) };
    let enter = |version, min| {
        format!(
            "INSERT INTO flyball.schema_versions (version, name, min_binary) VALUES ({version}, 'x', '{min}')"
        )
    };
    world.sql(&enter(100, "0.0.1")).await;
    open(&world.url, &client).await.expect("allowed").close().await;
    world.sql(&enter(101, "99.0.0")).await;
    let refused = open(&world.url, &client).await.err().expect("too new").to_string();
    assert!(refused.contains("needs flyball 99.0.0 or newer"), "{refused}");
    world.sql("DELETE FROM flyball.schema_versions WHERE version > 2").await;
    let refused = open(&world.url, &client).await.err().expect("too old").to_string();
    let needs = migrations(world.database).len();
    assert_eq!(
        refused,
        format!("the database's schema is at version 2, this binary needs {needs}: run `flyball migrate`")
    );
}

/// An empty database of each sort that is to be had.
async fn empty() -> (tempfile::TempDir, Vec<String>, Option<flyball_tests::postgres::Database>) {
    let folder = tempfile::tempdir().unwrap();
    let mut urls = vec![format!("sqlite:{}", folder.path().join("f.db").display())];
    let server = flyball_tests::postgres::database().await.unwrap();
    urls.extend(server.iter().map(|database| database.url().to_string()));
    (folder, urls, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_migrate_at_once_and_each_step_is_applied_once() {
    let (_folder, urls, _server) = empty().await;
    for url in urls {
        let options = OpenOptions::new(Clock::manual(START));
        let database = database_of(&url).unwrap();
        let pending = pending_migrations(&url).await.unwrap();
        assert_eq!(pending, migrations(database));
        let refused = open(&url, &options).await.err().expect("no schema").to_string();
        assert_eq!(refused, "the database holds no Flyball schema yet: run `flyball migrate`");
        let all = futures::future::join_all((0..4).map(|_| {
            let (url, options) = (url.clone(), options.clone());
            tokio::spawn(async move { migrate(&url, &options).await.expect("migrated").len() })
        }));
        let mut applied: Vec<_> = all.await.into_iter().map(|applied| applied.unwrap()).collect();
        applied.sort_unstable();
        assert_eq!(applied, [0, 0, 0, migrations(database).len()]);
        assert!(pending_migrations(&url).await.unwrap().is_empty());
        open(&url, &options).await.expect("opens").close().await;
    }
}

#[tokio::test]
async fn the_printed_script_makes_the_schema_that_migrate_makes() {
    let (_folder, urls, _server) = empty().await;
    for url in urls {
        let database = database_of(&url).unwrap();
        let script = AssertSqlSafe(migration_script(database));
        match database {
            Database::Sqlite => {
                let create = sqlx::sqlite::SqliteConnectOptions::new();
                let path = url.strip_prefix("sqlite:").unwrap();
                let mut connection =
                    SqliteConnection::connect_with(&create.filename(path).create_if_missing(true))
                        .await
                        .unwrap();
                connection.execute(sqlx::raw_sql(script)).await.unwrap();
                connection.close().await.unwrap();
            }
            Database::Postgres => {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                connection.execute(sqlx::raw_sql(script)).await.unwrap();
            }
        }
        open(&url, &OpenOptions::new(Clock::manual(START))).await.expect("usable").close().await;
    }
}

#[tokio::test]
async fn one_serve_has_a_sqlite_file_and_a_second_is_told_who() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("f.db").display());
    let serve = options(&Clock::manual(START));
    let first = open(&url, &serve).await.expect("the first");
    let refused = open(&url, &serve).await.err().expect("a second");
    let pid = std::process::id();
    assert!(
        matches!(&refused, StoreError::Served { holder, .. } if *holder == format!("test (pid {pid})")),
        "{refused}"
    );
    // By another name of the same file, too.
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(folder.path().join("f.db"), &link).unwrap();
    let refused = open(&format!("sqlite:{}", link.display()), &serve).await.err().expect("a second");
    assert!(matches!(refused, StoreError::Served { .. }), "{refused}");
    // A client may come, but not be the node.
    let client = open(&url, &OpenOptions { role: Role::Client, ..serve.clone() }).await.expect("a client");
    let node = flyball::store::NewNode {
        id: flyball::job::NodeId::mint(START),
        name: "client".into(),
        pid,
        version: "0".into(),
        concurrency: 1,
        serves: flyball::job::Json::empty_object(),
        lease: std::time::Duration::ZERO,
        retention: None,
    };
    let refused = client.register(&node, &flyball::job::LossPolicy::default(), START).await;
    assert!(matches!(refused, Err(StoreError::Address(_))), "{refused:?}");
    client.close().await;
    first.close().await;
    open(&url, &serve).await.expect("free again").close().await;
}

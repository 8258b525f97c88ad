//! The doctor finds what is wrong, says what to do, and changes nothing.

use anyhow::{Context as _, Result};
use flyball_tests::{Home, Node};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_database_as_it_should_be_is_well,
    a_missing_index_is_found_with_what_to_do,
    the_doctor_changes_nothing,
    a_node_without_maintenance_is_told,
);

/// What the doctor found of one thing, and its exit code.
async fn examine(home: &Home) -> Result<(Option<i32>, Vec<Value>)> {
    let ran = home.run(&["doctor", "--json"]).await?;
    let report: Value = serde_json::from_str(&ran.stdout)
        .with_context(|| format!("a report: {}{}", ran.stdout, ran.stderr))?;
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    Ok((ran.code, findings))
}

fn of<'f>(findings: &'f [Value], check: &str) -> Vec<(&'f str, &'f str)> {
    let text = |finding: &'f Value, name: &str| finding[name].as_str().unwrap_or_default();
    let of = findings.iter().filter(|finding| finding["check"] == check);
    of.map(|finding| (text(finding, "health"), text(finding, "seen"))).collect()
}

async fn sql(home: &Home, sql: &str) -> Result<()> {
    match home.database().strip_prefix("sqlite:") {
        Some(_) => {
            let mut connection = SqliteConnection::connect(home.database()).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.replace("flyball.", ""))).execute(&mut connection).await?;
            connection.close().await?;
        }
        None => {
            let mut connection = PgConnection::connect(home.database()).await?;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
            connection.close().await?;
        }
    }
    Ok(())
}

async fn a_database_as_it_should_be_is_well(world: World) -> Result<()> {
    let (code, findings) = examine(&world.home).await?;
    assert_eq!(code, Some(0), "{findings:?}");
    assert_eq!(of(&findings, "definitions")[0].0, "ok");
    assert_eq!(of(&findings, "lag"), [("ok", "nothing waits that could run")]);
    Ok(())
}

async fn a_missing_index_is_found_with_what_to_do(world: World) -> Result<()> {
    sql(&world.home, "DROP INDEX flyball.jobs_due").await?;
    let (code, findings) = examine(&world.home).await?;
    assert_eq!(code, Some(1));
    assert_eq!(of(&findings, "definitions"), [("fail", "the index jobs_due is missing")]);
    let told = world.home.run(&["doctor"]).await?.stdout;
    assert!(told.contains("make it again: CREATE INDEX jobs_due ON "), "{told}");
    Ok(())
}

async fn the_doctor_changes_nothing(world: World) -> Result<()> {
    let home = &world.home;
    home.call(&["enqueue", "paint"]).await?;
    if home.database().starts_with("sqlite:") {
        let file = home.folder().join("flyball.db");
        let before = std::fs::read(&file)?;
        assert_eq!(examine(home).await?.0, Some(0));
        assert!(std::fs::read(&file)? == before, "the file is as it was");
        return Ok(());
    }
    // Where nothing can be written, everything is looked at all the same.
    let name = home.database().rsplit('/').next().and_then(|name| name.split('?').next());
    let name = name.context("the name of the database")?;
    sql(home, &format!("ALTER DATABASE \"{name}\" SET default_transaction_read_only = on")).await?;
    let (code, findings) = examine(home).await?;
    assert_eq!(code, Some(1), "nodes could not work: {findings:?}");
    assert_eq!(of(&findings, "server"), [("fail", "transactions are read-only")]);
    let failing = findings.iter().filter(|finding| finding["health"] == "fail").count();
    assert_eq!(failing, 1, "{findings:?}");
    assert_eq!(of(&findings, "definitions")[0].0, "ok");
    Ok(())
}

async fn a_node_without_maintenance_is_told(world: World) -> Result<()> {
    let mut node = Node::serve(&world.home, &["--no-maintenance"]).await?;
    let (code, findings) = examine(&world.home).await?;
    assert_eq!((code, of(&findings, "maintenance").len()), (Some(0), 1), "{findings:?}");
    node.drain().await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let (_, findings) = examine(&world.home).await?;
    assert_eq!(of(&findings, "maintenance").len(), 0, "{findings:?}");
    node.drain().await?;
    Ok(())
}

//! The harness keeps its word about servers, shown with a real one.

use std::time::Duration;

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::*;
use crate::process::{self, Lines, Process};
use crate::{GENEROUS, eventually};

async fn number(connection: &mut PgConnection, statement: &'static str) -> Result<i64, sqlx::Error> {
    sqlx::query(statement).fetch_one(connection).await?.try_get(0)
}

#[tokio::test]
async fn two_tests_get_databases_that_know_nothing_of_each_other() -> Result<()> {
    let Some(one) = database().await? else { return Ok(()) };
    let Some(two) = database().await? else { return Ok(()) };
    let (mut first, mut second) = (one.connect().await?, two.connect().await?);
    sqlx::raw_sql("create schema flyball; create table flyball.x (n int)").execute(&mut first).await?;
    let count = "select count(*) from pg_namespace where nspname = 'flyball'";
    assert_eq!((number(&mut first, count).await?, number(&mut second, count).await?), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_dropped_database_is_gone_although_somebody_is_connected() -> Result<()> {
    let Some(one) = database().await? else { return Ok(()) };
    let Some(two) = database().await? else { return Ok(()) };
    let connected = one.connect().await?;
    let name = one.name().to_owned();
    drop(one);
    let there = sqlx::query("select 1 from pg_database where datname = $1").bind(name);
    assert!(there.fetch_optional(&mut two.connect().await?).await?.is_none());
    drop(connected);
    Ok(())
}

#[tokio::test]
async fn a_commit_survives_the_postmaster_killed_and_restarted_at_the_same_address() -> Result<()> {
    let Some(cluster) = cluster(Durability::Full).await? else { return Ok(()) };
    let database = cluster.database().await?;
    let mut connection = database.connect().await?;
    assert_eq!(number(&mut connection, "select 1::int8 where current_setting('fsync') = 'on'").await?, 1);
    sqlx::raw_sql("create table x (n int8); insert into x values (7)").execute(&mut connection).await?;
    cluster.kill_postmaster()?;
    let cut = async || number(&mut connection, "select 1::int8").await.is_err();
    eventually(GENEROUS, "the connection to be cut", cut).await?;
    assert!(database.connect().await.is_err());
    cluster.restart().await?;
    assert_eq!(number(&mut database.connect().await?, "select n from x").await?, 7);
    cluster.stop_immediately()?;
    cluster.restart().await?;
    cluster.stop()?;
    cluster.restart().await?;
    assert_eq!(number(&mut database.connect().await?, "select n from x").await?, 7);
    Ok(())
}

#[tokio::test]
async fn a_dropped_cluster_leaves_nothing() -> Result<()> {
    let Some(cluster) = cluster(Durability::Fast).await? else { return Ok(()) };
    let (folder, address) = (cluster.socket_folder().to_path_buf(), cluster.address());
    assert!(folder.join("data").exists());
    drop(cluster);
    assert!(!folder.exists(), "{} is still there", folder.display());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_cluster_dies_with_a_test_process_that_was_killed() -> Result<()> {
    if process::is_victim() {
        let Some(cluster) = cluster(Durability::Fast).await? else { return Ok(()) };
        println!("folder {}", cluster.socket_folder().display());
        println!("address {}", cluster.address());
        return eventually(Duration::from_secs(600), "being killed", async || false).await;
    }
    if Install::find().is_none() {
        return left_out();
    }
    let command = process::victim("postgres::tests::a_cluster_dies_with_a_test_process_that_was_killed")?;
    let mut victim = Process::spawn(command, Lines::default(), Lines::default(), None)?;
    let field = async |name: &str| {
        let find = |line: &process::Line| line.text.strip_prefix(name).map(|value| value.trim().to_owned());
        victim.stdout().wait_for(GENEROUS, name, find).await
    };
    let (folder, address) = (field("folder").await?, field("address").await?);
    assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
    victim.kill().await?;
    let gone = async || !Path::new(&folder).exists();
    eventually(GENEROUS, "the cluster's folder to be removed", gone).await?;
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    Ok(())
}

//! PostgreSQL over TLS, as a company runs it: the server's certificate is checked, and nothing goes in clear.

use anyhow::Result;
use flyball_tests::load::Load;
use flyball_tests::postgres::{self, Durability};
use flyball_tests::{GENEROUS, Home, Node, guests};
use sqlx::{Connection as _, PgConnection, Row as _};

#[tokio::test]
async fn a_node_speaks_tls_with_postgresql_and_checks_whom_it_speaks_to() -> Result<()> {
    let Some(cluster) = postgres::cluster(Durability::Fast).await? else { return Ok(()) };
    let database = cluster.database().await?;
    let authority = cluster.demand_tls().await?;

    let checked = database.url().with_tls("verify-full").trusting(&authority);
    let home = Home::on(&checked)?;
    guests::find("noop")?.put_into(&home.plugins())?;
    home.call(&["migrate"]).await?;
    let mut node = Node::serve(&home, &[]).await?;
    let load = Load::enqueue(home.database(), "noop", 20, |_| serde_json::json!({})).await?;
    load.finished(GENEROUS).await?;
    let mut reader = PgConnection::connect(&checked.to_string()).await?;
    let connections = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl \
         JOIN pg_stat_activity USING (pid) WHERE application_name = 'flyball'";
    let row = sqlx::query(connections).fetch_one(&mut reader).await?;
    let (encrypted, clear): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    assert!(encrypted >= 3 && clear == 0, "for verbs, leases and hearing: {encrypted}, in clear: {clear}");
    node.drain().await?;

    let stranger = home.by(database.url().with_tls("verify-full")).run(&["status"]).await?;
    assert_eq!(stranger.code, Some(1), "{}", stranger.stderr);
    assert!(stranger.stderr.to_lowercase().contains("certificate"), "{}", stranger.stderr);
    let clear = home.by(database.url().with_tls("disable")).run(&["status"]).await?;
    assert_eq!(clear.code, Some(1), "{}", clear.stderr);
    assert!(clear.stderr.contains("no encryption"), "{}", clear.stderr);
    Ok(())
}

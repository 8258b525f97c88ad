//! The proxy keeps its word, shown in conversations with a real server.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Row as _};

use super::*;
use crate::postgres::{Database, database};
use crate::{GENEROUS, ambient, eventually};

struct Scene {
    proxy: Proxy,
    database: Database,
    /// By way of the proxy.
    client: PgConnection,
    /// Straight to the server.
    witness: PgConnection,
}

async fn connect(proxy: &Proxy, database: &Database) -> Result<PgConnection> {
    let url = database.url().through(proxy.address()).to_string();
    Ok(url.parse::<PgConnectOptions>()?.connect().await?)
}

async fn scene() -> Result<Option<Scene>> {
    let Some(database) = database().await? else { return Ok(None) };
    let mut witness = database.connect().await?;
    sqlx::raw_sql("create table t (n int8)").execute(&mut witness).await?;
    let proxy = Proxy::start(database.url().host())?;
    let client = connect(&proxy, &database).await?;
    Ok(Some(Scene { proxy, database, client, witness }))
}

async fn insert(connection: &mut PgConnection, n: i64) -> Result<i64, sqlx::Error> {
    let statement = sqlx::query("/* the marked one */ insert into t values ($1) returning n").bind(n);
    statement.fetch_one(connection).await?.try_get(0)
}

async fn count(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query("select count(*) from t").fetch_one(connection).await?.try_get(0)
}

#[tokio::test]
async fn what_passes_is_unchanged() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    let long = "x".repeat(300_000);
    let query = sqlx::query("select $1::text || $1").bind(&long);
    let answer: String = query.fetch_one(&mut scene.client).await?.try_get(0)?;
    assert_eq!(answer.len(), 600_000);
    assert_eq!(insert(&mut scene.client, 1).await?, 1);
    assert_eq!((count(&mut scene.witness).await?, scene.proxy.connections()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_swallowed_answer_leaves_the_work_done_and_the_client_in_doubt() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    // The second time the statement is prepared already: only its name goes over the wire.
    for prepared_before in [0, 1] {
        for n in 0..prepared_before {
            insert(&mut scene.client, n).await?;
        }
        let before = count(&mut scene.witness).await?;
        let swallow = scene.proxy.swallow_next(Pattern::statement("the marked one"));
        assert_eq!(count(&mut scene.client).await?, before, "another statement passes");
        assert!(insert(&mut scene.client, 7).await.is_err());
        swallow.struck(GENEROUS).await?;
        assert_eq!(count(&mut scene.witness).await?, before + 1);
        scene.client = connect(&scene.proxy, &scene.database).await?;
        assert_eq!(insert(&mut scene.client, 8).await?, 8, "it strikes once");
    }
    Ok(())
}

#[tokio::test]
async fn a_swallowed_commit_has_committed() -> Result<()> {
    use sqlx::Connection as _;
    let Some(mut scene) = scene().await? else { return Ok(()) };
    let swallow = scene.proxy.swallow_next(Pattern::statement("COMMIT"));
    let mut transaction = scene.client.begin().await?;
    insert(&mut transaction, 1).await?;
    assert!(transaction.commit().await.is_err());
    swallow.struck(GENEROUS).await?;
    assert_eq!(count(&mut scene.witness).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_statement_swallowed_inside_a_transaction_is_rolled_back_with_it() -> Result<()> {
    use sqlx::Connection as _;
    let Some(mut scene) = scene().await? else { return Ok(()) };
    let swallow = scene.proxy.swallow_next(Pattern::statement("the marked one"));
    let mut transaction = scene.client.begin().await?;
    assert!(insert(&mut transaction, 1).await.is_err());
    swallow.struck(GENEROUS).await?;
    assert_eq!(count(&mut scene.witness).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_message_is_found_by_the_bytes_of_its_parameters() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    let swallow = scene.proxy.swallow_next(Pattern::Bytes(0x0bad_cafe_i64.to_be_bytes().to_vec()));
    assert_eq!(insert(&mut scene.client, 1).await?, 1);
    assert!(insert(&mut scene.client, 0x0bad_cafe).await.is_err());
    swallow.struck(GENEROUS).await?;
    assert_eq!(count(&mut scene.witness).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_deaf_proxy_closes_nothing_and_goes_on_where_it_was() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    scene.proxy.go_deaf();
    let Scene { proxy, client, witness, database } = &mut scene;
    let mut asked = Box::pin(insert(client, 1));
    // Nothing tells of silence but time: long against the millisecond that an answer takes.
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut asked).await.is_err());
    assert!(tokio::time::timeout(Duration::from_millis(300), connect(proxy, database)).await.is_err());
    assert_eq!(count(witness).await?, 0);
    proxy.pass();
    assert_eq!(asked.await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_client_that_goes_away_unheard_stays_connected_to_the_server() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    scene.proxy.go_deaf();
    drop(scene.client);
    let sessions = "select count(*) from pg_stat_activity where datname = current_database()";
    let sessions = async |witness: &mut PgConnection| -> Result<i64, sqlx::Error> {
        sqlx::query(sessions).fetch_one(witness).await?.try_get(0)
    };
    assert_eq!(sessions(&mut scene.witness).await?, 2);
    scene.proxy.cut_all();
    let alone = async || sessions(&mut scene.witness).await.map(|count| count == 1);
    eventually(GENEROUS, "the server to see the cut", alone).await
}

#[tokio::test]
async fn a_cut_connection_is_an_error_and_the_next_one_passes() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    scene.proxy.cut_all();
    assert!(insert(&mut scene.client, 1).await.is_err());
    let mut next = connect(&scene.proxy, &scene.database).await?;
    assert_eq!(insert(&mut next, 2).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_delay_is_paid_each_way() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    count(&mut scene.client).await?;
    scene.proxy.delay(Duration::from_millis(50));
    let begun = ambient::instant();
    count(&mut scene.client).await?;
    assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_held_up_passes_whole_when_the_test_says_so_and_others_do_not_wait() -> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    let hold = scene.proxy.hold_next(Pattern::statement("the marked one"));
    let mut other = connect(&scene.proxy, &scene.database).await?;
    let held = tokio::spawn(async move {
        let answer = insert(&mut scene.client, 7).await;
        (answer, insert(&mut scene.client, 8).await)
    });
    let release = hold.struck(GENEROUS).await?;
    assert_eq!((count(&mut scene.witness).await?, count(&mut other).await?), (1, 1), "the work is done");
    assert!(!held.is_finished());
    release.now();
    let (answer, next) = held.await?;
    assert_eq!((answer?, next?), (7, 8));
    Ok(())
}

#[tokio::test]
async fn a_statement_that_is_withheld_is_not_done_and_its_connection_is_cut_when_the_test_lets_go()
-> Result<()> {
    let Some(mut scene) = scene().await? else { return Ok(()) };
    let hold = scene.proxy.withhold_next(Pattern::statement("the marked one"));
    let mut asking = tokio::spawn(async move { insert(&mut scene.client, 7).await });
    let release = hold.struck(GENEROUS).await?;
    assert_eq!(count(&mut scene.witness).await?, 0);
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut asking).await.is_err(), "it waits");
    release.now();
    assert!(asking.await?.is_err());
    assert_eq!(count(&mut scene.witness).await?, 0);
    Ok(())
}

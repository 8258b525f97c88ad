//! The write-ahead log of SQLite does not stay as large as a burst made it.

use std::time::Duration;

use flyball::store::Database;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};

use crate::world::World;

/// What the log is to stay under.
const PROMISED: u64 = 64 << 20;

#[tokio::test]
async fn the_log_of_sqlite_is_small_again_when_a_long_reader_has_gone_away() {
    let world = World::new(Database::Sqlite).await.expect("SQLite is always there");
    the_log_is_small_again_when_a_long_reader_has_gone(world).await;
}

async fn sql(connection: &mut SqliteConnection, sql: &str) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect("SQL");
}

/// While one reads, what is written since can't be taken out of the log, which grows past its promise; nobody writes when
/// the reader goes.
pub(crate) async fn the_log_is_small_again_when_a_long_reader_has_gone(world: World) {
    let (mut reader, mut writer) = (world.sqlite().await, world.sqlite().await);
    sql(&mut writer, "CREATE TABLE bulk (data blob)").await;
    sql(&mut reader, "BEGIN; SELECT count(*) FROM bulk").await;
    let wal = async || world.store.footprint().await.expect("measured").wal_bytes.expect("a file of ours");
    for _ in 0..12 {
        sql(&mut writer, "INSERT INTO bulk VALUES (zeroblob(8388608))").await;
    }
    let grown = wal().await;
    assert!(grown > PROMISED, "{grown} bytes do not show anything");
    world.insert(3).await;
    sql(&mut reader, "COMMIT").await;
    let small = async || Ok::<_, sqlx::Error>((wal().await < PROMISED).then_some(()));
    let waited = flyball_tests::eventually(Duration::from_secs(10), "the log to be begun anew", small).await;
    assert!(waited.is_ok(), "the log stayed as it was: {} bytes", wal().await);
    // Whatever was in it is in the file.
    let kept: i64 =
        sqlx::query_scalar("SELECT sum(length(data)) FROM bulk").fetch_one(&mut writer).await.unwrap();
    assert_eq!(kept, 12 * 8_388_608);
    let jobs: i64 = sqlx::query_scalar("SELECT count(*) FROM jobs").fetch_one(&mut reader).await.unwrap();
    assert_eq!(jobs, 3);
    reader.close().await.expect("closed");
    writer.close().await.expect("closed");
}

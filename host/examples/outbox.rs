//! A job that exists if and only if the caller's own transaction commits: no job without its order, no order without its
//! job, and no table of messages that somebody has to empty.
//!
//! `cargo run --example outbox -- outbox.db`. It needs no node and no worker: with PostgreSQL the program that enqueues and
//! the nodes that run are usually different ones.

use flyball::Client;
use flyball::job::JobArgs;
use flyball::store::{JobFilter, SchemaMode};
use sqlx::SqlitePool;

#[derive(serde::Serialize)]
struct SendReceipt {
    order: i64,
}

impl JobArgs for SendReceipt {
    const KIND: &'static str = "send-receipt";
}

/// Pays an order, and sends its receipt: both or neither.
async fn pay(pool: &SqlitePool, client: &Client, order: i64) -> anyhow::Result<()> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT INTO orders (id, paid) VALUES ($1, true)")
        .bind(order)
        .execute(&mut *transaction)
        .await?;
    let (_job, wake) = client.enqueue_in(&mut *transaction, &SendReceipt { order }).await?;
    if order == 13 {
        // Dropping the transaction rolls it back; so does every `?` above.
        anyhow::bail!("the bank refused order 13");
    }
    transaction.commit().await?;
    // Nodes that sleep look at once, and not within a second.
    wake.ring();
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "outbox.db".to_owned());
    let client = Client::connect_with(&format!("sqlite:{file}"), "shop", SchemaMode::Migrate).await?;
    let pool = SqlitePool::connect(&format!("sqlite:{file}")).await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS orders (id integer PRIMARY KEY, paid boolean NOT NULL)")
        .execute(&pool)
        .await?;

    for order in [7, 13] {
        match pay(&pool, &client, order).await {
            Ok(()) => println!("order {order} is paid"),
            Err(error) => println!("order {order} is not paid: {error}"),
        }
    }

    let orders: Vec<i64> = sqlx::query_scalar("SELECT id FROM orders ORDER BY id").fetch_all(&pool).await?;
    println!("orders that are paid: {orders:?}");
    for job in client.list(&JobFilter { limit: 10, ..JobFilter::default() }).await? {
        println!("job {} {} is {}", job.kind, job.args, job.state);
    }
    pool.close().await;
    client.close().await;
    Ok(())
}

//! A node that was taken for lost lives on under a new id, and runs nothing that it claimed before.

use anyhow::Result;
use flyball::job::Outcome;
use flyball_tests::GENEROUS;
use flyball_tests::load::Load;
use flyball_tests::node::Plan;
use flyball_tests::process::Line;
use flyball_tests::proxy::Pattern;
use flyball_tests::witness::Witness;
use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use crate::worlds::World;

const QUICK: &str = "[node]\nlease = \"1s\"\ncrash_backoff = { base = \"100ms\", cap = \"100ms\" }\n";

#[tokio::test]
async fn a_claim_that_is_answered_after_the_node_was_taken_for_lost_starts_nothing() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["echo"])?;
    world.home.configure(QUICK)?;
    let (through, proxy) = world.behind_a_proxy()?;
    let load = Load::enqueue(world.home.database(), "echo", 1, |_| json!({ "sleep_ms": 3000 })).await?;
    let hold = proxy.hold_next(Pattern::statement("Claims due jobs for a node"));
    let mut node = Plan::new(&through).serve().await?;
    let release = hold.struck(GENEROUS).await?;
    let mut others = PgConnection::connect(world.home.database()).await?;
    sqlx::raw_sql("UPDATE flyball.nodes SET lost_at = now()").execute(&mut others).await?;
    let anew = |line: &Line| line.text.contains("goes on under a new id").then_some(());
    node.log().wait_for(GENEROUS, "a new id", anew).await?;
    release.now();
    load.finished(GENEROUS).await?;
    node.drain().await?;

    let (_, runs) = load.job(load.ids()[0]).await?;
    let outcomes: Vec<Outcome> = runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [Outcome::Success, Outcome::Crashed]);
    let mut witness = Witness::default();
    node.testify(&mut witness);
    witness.assert_apart();
    assert_eq!(witness.count(), 1, "the first was taken back before it began");
    Ok(())
}

//! What has been kept for long enough goes: by itself where a node runs, and by hand.

use anyhow::Result;
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Node, eventually};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_node_deletes_what_was_kept_for_long_enough,
    a_dry_run_of_prune_says_what_would_go_and_changes_nothing,
);

async fn a_node_deletes_what_was_kept_for_long_enough(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    world
        .home
        .configure("[retention]\nsucceeded = \"1s\"\n\n[retention.queues.mail]\nsucceeded = \"never\"\n")?;
    let kept = world.home.call(&["enqueue", "noop", "--queue", "mail"]).await?.trim_end().to_owned();
    let load = Load::enqueue(world.home.database(), "noop", 5, |_| json!({})).await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let gone = async || {
        let jobs: Vec<Value> = world.home.ask(&["jobs", "list", "--json"]).await?;
        anyhow::Ok(jobs.len() == 1 && jobs[0]["state"] == "succeeded")
    };
    eventually(GENEROUS, "the jobs to be deleted", gone).await?;
    node.drain().await?;
    assert_eq!(world.home.run(&["jobs", "show", &load.ids()[0].to_string()]).await?.code, Some(4));
    world.home.call(&["jobs", "show", &kept]).await?;
    Ok(())
}

async fn a_dry_run_of_prune_says_what_would_go_and_changes_nothing(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let load = Load::enqueue(world.home.database(), "noop", 3, |_| json!({})).await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    load.finished(GENEROUS).await?;
    node.drain().await?;
    let by_default: Value = world.home.ask(&["prune", "--json"]).await?;
    assert_eq!(by_default["jobs"], 0, "a week has not passed");
    let would: Value = world.home.ask(&["prune", "--older-than", "1ms", "--dry-run", "--json"]).await?;
    assert_eq!((&would["jobs"], &would["runs"]), (&3.into(), &3.into()));
    let jobs: Vec<Value> = world.home.ask(&["jobs", "list", "--json"]).await?;
    assert_eq!(jobs.len(), 3);
    load.audit().await?.assert_each_succeeded_once()?;
    let did: Value = world.home.ask(&["prune", "--older-than", "1ms", "--json"]).await?;
    assert_eq!(did, would, "what was said is what went");
    let jobs: Vec<Value> = world.home.ask(&["jobs", "list", "--json"]).await?;
    assert!(jobs.is_empty(), "{jobs:?}");
    Ok(())
}

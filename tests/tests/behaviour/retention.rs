//! What has been kept for long enough goes: by itself where a node runs, and by hand.

use anyhow::Result;
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Node, eventually};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_node_deletes_what_was_kept_for_long_enough,
    a_dry_run_of_prune_says_what_would_go_and_changes_nothing,
    prune_by_hand_leaves_what_a_living_node_keeps,
);

/// Whether these jobs are still there.
async fn are_there<const N: usize>(world: &World, jobs: [&str; N]) -> Result<[bool; N]> {
    let listed: Vec<Value> = world.home.ask(&["jobs", "list", "--json"]).await?;
    Ok(jobs.map(|job| listed.iter().any(|listed| listed["id"] == job)))
}

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

async fn prune_by_hand_leaves_what_a_living_node_keeps(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    world.home.configure("[retention]\nsucceeded = \"never\"\n")?;
    let load = Load::enqueue(world.home.database(), "noop", 3, |_| json!({})).await?;
    let mut node = Node::serve(&world.home, &["--name", "keeper"]).await?;
    load.finished(GENEROUS).await?;
    // Somebody who has another file, or none.
    world.home.configure("[retention]\nsucceeded = \"1s\"\n")?;
    let old_enough = async || {
        let all = ["prune", "--older-than", "1s", "--all", "--dry-run", "--json"];
        let would: Value = world.home.ask(&all).await?;
        anyhow::Ok(would["jobs"] == 3)
    };
    eventually(GENEROUS, "a second to pass", old_enough).await?;
    for (asked, note) in [
        (&["prune", "--json"][..], "keeper (succeeded)"),
        (&["prune", "--json", "--older-than", "1ms"], "--all"),
    ] {
        let ran = world.home.run(asked).await?;
        assert!(ran.stderr.contains(note), "{}", ran.stderr);
        assert_eq!(ran.json::<Value>()?["jobs"], 0, "{asked:?}");
    }
    let doctor = world.home.call(&["doctor"]).await?;
    assert!(doctor.contains("keeper (succeeded)"), "{doctor}");
    let nodes: Vec<Value> = world.home.ask(&["nodes", "list", "--json"]).await?;
    assert_eq!(nodes[0]["retention"]["succeeded"], "never");
    assert_eq!(world.home.run(&["prune", "--all"]).await?.code, Some(2), "of what age?");
    node.drain().await?;
    let pruned: Value = world.home.ask(&["prune", "--json"]).await?;
    assert_eq!(pruned["jobs"], 0, "it may come back");
    let pruned: Value = world.home.ask(&["prune", "--older-than", "1ms", "--all", "--json"]).await?;
    assert_eq!(pruned["jobs"], 3, "whoever keeps them");
    Ok(())
}

#[tokio::test]
async fn what_one_node_keeps_no_other_deletes() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["noop"])?;
    let file = |succeeded| {
        format!("[node]\nlease = \"1s\"\n[retention]\nsucceeded = \"{succeeded}\"\ncancelled = \"1s\"\n")
    };
    world.home.configure(&file("1s"))?;
    let mut deleter = Node::serve(&world.home, &["--name", "deleter"]).await?;
    world.home.configure(&file("never"))?;
    let mut keeper = Node::serve(&world.home, &["--name", "keeper"]).await?;
    let kept = world.home.call(&["enqueue", "noop", "--wait"]).await?.trim_end().to_owned();
    // Of two jobs that ended the second one goes: so the first would have gone.
    let goes = world.home.call(&["enqueue", "nobody"]).await?.trim_end().to_owned();
    world.home.call(&["jobs", "cancel", &goes]).await?;
    let gone = async || anyhow::Ok(!are_there(&world, [&goes]).await?[0]);
    eventually(GENEROUS, "what was cancelled to go", gone).await?;
    assert_eq!(are_there(&world, [&kept]).await?, [true], "one node deleted what another keeps");
    keeper.drain().await?;
    let goes = world.home.call(&["enqueue", "nobody"]).await?.trim_end().to_owned();
    world.home.call(&["jobs", "cancel", &goes]).await?;
    let gone = async || anyhow::Ok(!are_there(&world, [&goes]).await?[0]);
    eventually(GENEROUS, "what was cancelled to go", gone).await?;
    assert_eq!(are_there(&world, [&kept]).await?, [true], "it may come back");
    world.home.configure(&file("1s"))?;
    let mut keeper = Node::serve(&world.home, &["--name", "keeper"]).await?;
    let gone = async || anyhow::Ok(!are_there(&world, [&kept]).await?[0]);
    eventually(GENEROUS, "what nobody keeps any more to go", gone).await?;
    keeper.drain().await?;
    deleter.drain().await?;
    let log = String::from_utf8_lossy(&deleter.log().bytes()).into_owned();
    assert_eq!(log.matches("keeper (succeeded)").count(), 1, "a disagreement is told once");
    Ok(())
}

//! What operators read by the command line: why a job does not run, what was ordered, which nodes have what, and how
//! things stand while they look.

use anyhow::{Context as _, Result};
use flyball_tests::process::{Line, Lines, Process};
use flyball_tests::{GENEROUS, Home, Node};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_job_that_does_not_run_says_why_in_one_sentence,
    what_operators_ordered_is_listed_newest_first,
    nodes_are_listed_with_their_kinds_and_digests,
    status_is_watched_a_line_for_each_look_until_it_is_interrupted,
);

async fn enqueue(home: &Home, arguments: &[&str]) -> Result<String> {
    Ok(home.call(&[&["enqueue"], arguments].concat()).await?.trim_end().to_owned())
}

async fn a_job_that_does_not_run_says_why_in_one_sentence(world: World) -> Result<()> {
    let home = &world.home;
    let job = enqueue(home, &["paint"]).await?;
    let shown = home.call(&["jobs", "show", &job]).await?;
    assert!(shown.contains("\nno node is alive: `flyball serve` starts one\n"), "{shown}");
    let mut node = Node::serve(home, &[]).await?;
    let why = async || {
        let shown: Value = home.ask(&["jobs", "show", &job, "--json"]).await?;
        anyhow::Ok(shown["why"].clone())
    };
    assert_eq!(why().await?, json!({ "reason": "no_node_with_kind", "kind": "paint" }));
    home.call(&["queues", "pause", "default"]).await?;
    assert_eq!(why().await?, json!({ "reason": "queue_paused", "queue": "default" }));
    home.call(&["jobs", "pause", &job]).await?;
    assert_eq!(why().await?, json!({ "reason": "paused" }));
    node.drain().await?;
    Ok(())
}

async fn what_operators_ordered_is_listed_newest_first(world: World) -> Result<()> {
    let home = &world.home;
    assert!(home.call(&["actions", "list"]).await?.contains("no operator has ordered anything"));
    let job = enqueue(home, &["paint"]).await?;
    home.call(&["jobs", "pause", &job]).await?;
    home.call(&["queues", "pause", "mail"]).await?;
    home.call(&["jobs", "cancel", "--kind", "paint"]).await?;
    let listed: Vec<Value> = home.ask(&["actions", "list", "--json"]).await?;
    let told: Vec<_> = listed.iter().map(|action| (&action["what"], &action["jobs_changed"])).collect();
    let expected = [
        (&json!("cancel"), &json!(1)),
        (&json!("pause queue mail"), &json!(0)),
        (&json!("pause"), &json!(1)),
    ];
    assert_eq!(told, expected);
    let who = listed[0]["who"].as_str().context("who gave it")?;
    assert!(who.starts_with("cli:"), "{who}");
    let table = home.call(&["actions", "list", "--limit", "1"]).await?;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "a line for each: {table}");
    assert!(lines[1].contains("kind paint"), "{table}");
    let later = home.call(&["actions", "list", "--since", "2100-01-01T00:00:00Z", "--json"]).await?;
    assert_eq!(later, "[]\n");
    Ok(())
}

async fn nodes_are_listed_with_their_kinds_and_digests(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    world.home.call(&["enqueue", "echo", "--wait"]).await?;
    let nodes: Vec<Value> = world.home.ask(&["nodes", "list", "--json"]).await?;
    assert_eq!((&nodes[0]["state"], &nodes[0]["kinds_differing"]), (&json!("alive"), &json!([])));
    let digest = nodes[0]["kinds"]["echo"].as_str().context("the digest of echo")?;
    let table = world.home.call(&["nodes", "list"]).await?;
    assert!(table.contains(&format!("echo@{}", &digest[..8])), "{table}");
    node.drain().await?;
    Ok(())
}

async fn status_is_watched_a_line_for_each_look_until_it_is_interrupted(world: World) -> Result<()> {
    let home = &world.home;
    enqueue(home, &["paint"]).await?;
    for (json, has) in [(false, "available 1"), (true, r#""available":1"#)] {
        let mut arguments = vec!["status", "--watch", "--every", "100ms"];
        arguments.extend(json.then_some("--json"));
        let mut watch = Process::spawn(home.command(&arguments)?, Lines::default(), Lines::default(), None)?;
        let looks = || watch.stdout().clone();
        let seen = |line: &Line| line.text.contains(has).then_some(());
        looks().wait_for(GENEROUS, "a look", seen).await?;
        let more = flyball_tests::eventually(GENEROUS, "several looks", async || {
            let text = String::from_utf8_lossy(&looks().bytes()).into_owned();
            anyhow::Ok(text.lines().count() >= 3)
        });
        more.await?;
        watch.handle().signal(Signal::INT)?;
        let exit = watch.wait(GENEROUS).await?;
        assert_eq!(exit.status.code(), Some(0), "Ctrl-C is how it ends");
        let text = String::from_utf8_lossy(&watch.stdout().bytes()).into_owned();
        assert!(!text.contains('\u{1b}'), "no screen is drawn where there is no terminal");
        assert!(text.lines().all(|line| line.contains(has)), "a look is a line: {text}");
    }
    Ok(())
}

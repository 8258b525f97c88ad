//! Limits by key, as the operator of nodes sees them: of the file, and by the command line.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use flyball::job::Timestamp;
use flyball::quantity::Moment;
use flyball_tests::{GENEROUS, Node, eventually};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(a_limit_of_the_file_holds_over_all_nodes, an_operator_sets_looks_at_and_removes_a_limit,);

/// On PostgreSQL two nodes share the work.
async fn a_limit_of_the_file_holds_over_all_nodes(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let home = &world.home;
    home.configure("[[limits]]\nname = \"tenant\"\nkind = \"echo\"\nkey = \"tenant\"\nconcurrency = 2\n")?;
    let nodes = if home.database().starts_with("sqlite:") { 1 } else { 2 };
    let mut serving = Vec::new();
    for _ in 0..nodes {
        serving.push(Node::serve(home, &["--concurrency", "8"]).await?);
    }
    for at in 0..30 {
        let args = json!({ "sleep_ms": 30, "tenant": if at % 2 == 0 { "a" } else { "b" } });
        home.call(&["enqueue", "echo", &args.to_string()]).await?;
    }
    let list =
        async || -> Result<Vec<Value>> { home.ask(&["jobs", "list", "--limit", "100", "--json"]).await };
    let ended =
        async || anyhow::Ok(list().await?.iter().filter(|job| job["state"] == "succeeded").count() == 30);
    eventually(GENEROUS, "all jobs to end", ended).await?;
    let mut moments = BTreeMap::<String, Vec<(Timestamp, i32)>>::new();
    for job in list().await? {
        let id = job["id"].as_str().context("an id")?;
        let shown: Value = home.ask(&["jobs", "show", id, "--json"]).await?;
        let key = shown["limit_key"].as_str().context("a key")?.to_owned();
        let time = |column: &str| {
            let text = shown["runs"][0][column].as_str().context("a time")?;
            match text.parse::<Moment>()? {
                Moment::At(at) => anyhow::Ok(at),
                Moment::Away(_) => anyhow::bail!("{text} is no time"),
            }
        };
        moments.entry(key).or_default().extend([(time("started_at")?, 1), (time("finished_at")?, -1)]);
    }
    assert_eq!(moments.keys().collect::<Vec<_>>(), ["tenant:a", "tenant:b"]);
    for (key, mut moments) in moments {
        // What ends frees its permit for what starts at the same moment.
        moments.sort_unstable();
        let (mut running, mut most) = (0, 0);
        for (_, change) in moments {
            running += change;
            most = most.max(running);
        }
        assert!(most <= 2, "{most} jobs of {key} ran at once");
    }
    for node in &mut serving {
        node.drain().await?;
    }
    Ok(())
}

async fn an_operator_sets_looks_at_and_removes_a_limit(world: World) -> Result<()> {
    let home = &world.home;
    let set = ["limits", "set", "tenant", "--queue", "mail", "--key", "user.tenant"];
    let one = [&set[..], &["--concurrency", "1", "--rate", "10/1m", "--burst", "5"]].concat();
    assert_eq!(home.call(&one).await?, "tenant set\n");
    assert_eq!(home.call(&one).await?, "tenant is like this already\n");
    let limits: Value = home.ask(&["limits", "list", "--json"]).await?;
    assert_eq!(
        limits,
        json!([{
            "name": "tenant", "queue": "mail", "kind": null, "field": "user.tenant", "concurrency": 1,
            "permits": 10, "per_ms": 60_000, "burst": 5, "origin": "operator",
        }])
    );
    for key in ["a", "a", "b"] {
        home.call(&["enqueue", "echo", "--queue", "mail", "--limit-key", key]).await?;
    }
    let lines: Value = home.ask(&["limits", "show", "tenant", "--json"]).await?;
    assert_eq!(
        lines,
        json!([
            { "limit_key": "tenant:a", "permits": 1, "blocked": 1 },
            { "limit_key": "tenant:b", "permits": 1, "blocked": 0 },
        ])
    );
    let status: Value = home.ask(&["status", "--json"]).await?;
    assert_eq!(status["queues"]["mail"]["blocked"], 1, "{status}");
    let rival = ["limits", "set", "other", "--queue", "mail", "--key", "x", "--concurrency", "2"];
    let refused = home.run(&rival).await?;
    let words = "limit tenant puts the same jobs into lines by key";
    assert!(refused.code == Some(1) && refused.stderr.contains(words), "{refused:?}");
    let refused =
        home.run(&["limits", "set", "other", "--queue", "mail", "--key", "x", "--rate", "ten"]).await?;
    let words = "\"ten\" is no rate: write how many in which time, such as 10/s";
    assert!(refused.code == Some(2) && refused.stderr.contains(words), "{refused:?}");
    assert_eq!(home.call(&["limits", "remove", "tenant"]).await?, "tenant removed\n");
    assert_eq!(home.call(&["limits", "list", "--json"]).await?, "[]\n");
    Ok(())
}

//! What people are told: by the command line, about jobs, and when something is wrong.

use anyhow::Result;
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Home, Node};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_job_is_enqueued_run_and_shown_by_the_command_line,
    what_a_worker_logs_is_kept_with_its_run,
    what_a_worker_reports_last_is_kept_though_it_ends_at_once,
    a_discarded_job_is_made_available_again_by_retry,
);

async fn a_job_is_enqueued_run_and_shown_by_the_command_line(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let id =
        world.home.call(&["enqueue", "echo", r#"{"n": 1}"#, "--tag", "mine", "--request-id", "r-1"]).await?;
    let id = id.trim_end();
    assert_eq!(id.len(), 36, "the id and nothing else: {id:?}");
    let shown = ended(&world.home, id).await?;
    assert_eq!(shown["state"], "succeeded");
    assert_eq!(shown["tags"], json!(["mine"]));
    assert_eq!(shown["metadata"]["request_id"], "r-1");
    let run = &shown["runs"][0];
    assert_eq!(
        (&run["outcome"], &run["settled_by"], &run["attempt"]),
        (&json!("success"), &json!("owner"), &json!(1))
    );
    assert_eq!(run["output"]["args"], json!({ "n": 1 }));
    assert!(run["fuel_used"].as_u64().is_some_and(|fuel| fuel > 0), "{run}");
    assert!(run["peak_memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{run}");
    let listed: Value = world.home.ask(&["jobs", "list", "--tag", "mine", "--json"]).await?;
    assert_eq!(listed[0]["id"], id);
    let people = world.home.call(&["jobs", "show", id]).await?;
    assert!(people.contains("succeeded") && people.contains("run 1"), "{people}");
    node.drain().await?;
    Ok(())
}

async fn ended(home: &Home, id: &str) -> Result<Value> {
    flyball_tests::eventually(GENEROUS, "the job to end", async || {
        let shown: Value = home.ask(&["jobs", "show", id, "--json"]).await?;
        let ended = ["succeeded", "discarded", "cancelled"].iter().any(|state| shown["state"] == *state);
        anyhow::Ok(ended.then_some(shown))
    })
    .await
}

async fn what_a_worker_logs_is_kept_with_its_run(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let args = json!({ "log": "a line", "stdout": "said aloud" }).to_string();
    let id = world.home.call(&["enqueue", "echo", &args]).await?;
    ended(&world.home, id.trim_end()).await?;
    let log = world.home.call(&["jobs", "logs", id.trim_end()]).await?;
    assert!(log.contains("a line") && log.contains("said aloud"), "{log}");
    node.drain().await?;
    Ok(())
}

async fn what_a_worker_reports_last_is_kept_though_it_ends_at_once(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let id = world.home.call(&["enqueue", "echo", r#"{"progress": 0.75}"#]).await?;
    let shown = ended(&world.home, id.trim_end()).await?;
    let progress = &shown["runs"][0]["progress"];
    assert_eq!(*progress, json!({ "fraction": 0.75, "note": "echo" }), "{shown}");
    node.drain().await?;
    Ok(())
}

async fn a_discarded_job_is_made_available_again_by_retry(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let args = json!({ "fail": { "class": "permanent", "message": "no good", "times": 1 } });
    let load = Load::enqueue(world.home.database(), "echo", 1, |_| args.clone()).await?;
    let id = load.ids()[0].to_string();
    let shown = ended(&world.home, &id).await?;
    assert_eq!(
        (&shown["state"], &shown["runs"][0]["error_class"]),
        (&json!("discarded"), &json!("permanent"))
    );
    assert_eq!(shown["runs"][0]["error_message"], "no good");
    world.home.call(&["jobs", "retry", &id]).await?;
    let shown = ended(&world.home, &id).await?;
    assert_eq!(shown["attempt"], 2, "the attempt is never rewound");
    let gone = world.home.run(&["jobs", "show", "01890000-0000-7000-8000-000000000000"]).await?;
    assert_eq!(gone.code, Some(4), "{}", gone.stderr);
    node.drain().await?;
    Ok(())
}

#[tokio::test]
async fn a_second_serve_on_one_sqlite_file_is_refused_and_told_who_has_it() -> Result<()> {
    let world = World::sqlite().await?;
    let mut node = Node::serve(&world.home, &["--name", "first"]).await?;
    let second = world.home.run(&["serve", "--listen", "none"]).await?;
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    assert!(
        second.stderr.contains("first") && second.stderr.contains(&node.pid().to_string()),
        "{}",
        second.stderr
    );
    node.drain().await?;
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_in_the_configuration_is_an_error_with_its_line() -> Result<()> {
    let home = Home::sqlite()?;
    home.configure("[node]\nlease = \"15s\"\nconcurency = 3\n")?;
    let ran = home.run(&["serve"]).await?;
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("concurency") && ran.stderr.contains('3'), "{}", ran.stderr);
    Ok(())
}

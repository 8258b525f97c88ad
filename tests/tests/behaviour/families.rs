//! Work that spreads over many jobs, and over many attempts: a fan-out with its barrier, what a discard enqueues, and
//! checkpoints that later attempts go on from.

use anyhow::{Context as _, Result};
use flyball::clock::Clock;
use flyball::job::{JobId, JobState, Outcome, RunRecord};
use flyball::store::{OpenOptions, Role, open};
use flyball_tests::load::Load;
use flyball_tests::node::{Node, Plan};
use flyball_tests::{GENEROUS, eventually};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_fan_out_ends_in_a_continuation_that_reads_what_its_children_returned,
    a_job_that_is_discarded_enqueues_what_was_asked_for,
    an_attempt_goes_on_from_the_checkpoint_of_one_that_failed,
    an_attempt_goes_on_from_the_checkpoint_of_one_whose_node_was_killed,
);

/// Losses are found soon, and cost little.
const QUICK: &str = "[node]\nlease = \"1s\"\ncrash_backoff = { base = \"100ms\", cap = \"100ms\" }\n";

fn output(runs: &[RunRecord]) -> Result<Value> {
    let output = runs.first().and_then(|run| run.output.as_ref()).context("no output")?;
    Ok(serde_json::from_str(output.as_str())?)
}

async fn a_fan_out_ends_in_a_continuation_that_reads_what_its_children_returned(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let child = |args: Value| json!({ "kind": "echo", "args": args });
    let fan_out = json!({
        "follow_ups": [
            child(json!({ "output": { "words": 7 } })),
            child(json!({ "output": "two", "sleep_ms": 300 })),
            child(json!({ "fail": { "class": "permanent", "message": "there is no third" } })),
        ],
        "barrier": child(json!({ "children": true })),
    });
    let load = Load::enqueue(world.home.database(), "echo", 1, |_| fan_out.clone()).await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    load.finished(GENEROUS).await?;
    let everything = load.everything().await?;
    let continuation =
        everything.iter().find(|job| job.continues_run_id.is_some()).context("it never fired")?;
    let (job, runs) = load.job(continuation.id).await?;
    assert_eq!((job.state, job.parent_id, everything.len()), (JobState::Succeeded, Some(load.ids()[0]), 5));
    let output = output(&runs)?;
    let children: Vec<_> = output["children"].as_array().context("children")?.iter().collect();
    let told: Vec<_> =
        children.iter().map(|child| [&child["state"], &child["output"], &child["error"]]).collect();
    let expected = [
        [json!("succeeded"), json!({ "words": 7 }), Value::Null],
        [json!("succeeded"), json!("two"), Value::Null],
        [json!("discarded"), Value::Null, json!("there is no third")],
    ];
    assert_eq!(told, expected.iter().map(|child| child.each_ref()).collect::<Vec<_>>());
    node.drain().await?;
    Ok(())
}

async fn a_job_that_is_discarded_enqueues_what_was_asked_for(world: World) -> Result<()> {
    let world = world.with(&["echo", "noop"])?;
    let fails = r#"{"fail":{"class":"permanent","message":"no"}}"#;
    let call = ["enqueue", "echo", fails, "--request-id", "r-7", "--on-discard", r#"noop={"after": "echo"}"#];
    let id: JobId = world.home.call(&call).await?.trim_end().parse()?;
    let load = Load::enqueue(world.home.database(), "noop", 1, |_| json!({})).await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    load.finished(GENEROUS).await?;
    let everything = load.everything().await?;
    let told = everything.iter().find(|job| job.parent_id == Some(id)).context("nothing was enqueued")?;
    assert_eq!((told.kind.as_str(), told.args.as_str()), ("noop", r#"{"after":"echo"}"#));
    assert_eq!((told.metadata.as_str(), told.state), (r#"{"request_id":"r-7"}"#, JobState::Succeeded));
    let refused = world.home.run(&["enqueue", "echo", "{}", "--on-discard", "noop={"]).await?;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("the args of on_discard: EOF"), "{}", refused.stderr);
    node.drain().await?;
    Ok(())
}

async fn an_attempt_goes_on_from_the_checkpoint_of_one_that_failed(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let args = json!({ "count_on": true, "fail": { "times": 2, "message": "no", "retry_after_ms": 1000 } });
    let load = Load::enqueue(world.home.database(), "echo", 1, |_| args.clone()).await?;
    let mut node = Node::serve(&world.home, &[]).await?;
    load.finished(GENEROUS).await?;
    let (job, runs) = load.job(load.ids()[0]).await?;
    assert_eq!((job.state, job.failures), (JobState::Succeeded, 2));
    assert_eq!(output(&runs)?["counted"], json!(2));
    node.drain().await?;
    assert_eq!(checkpoint(&world, job.id).await?, None, "it needs it no more");
    Ok(())
}

/// On PostgreSQL a node that was there before takes over; on SQLite the next one does.
async fn an_attempt_goes_on_from_the_checkpoint_of_one_whose_node_was_killed(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    world.home.configure(QUICK)?;
    let args = json!({ "count_on": true, "log": "begun", "sleep_ms": 4000 });
    let load = Load::enqueue(world.home.database(), "echo", 1, |_| args.clone()).await?;
    let job = load.ids()[0];
    let mut first = Plan::new(&world.home).serve().await?;
    eventually(GENEROUS, "the attempt to begin", async || {
        load.job(job).await.map(|(job, _)| job.state == JobState::Running)
    })
    .await?;
    let sqlite = world.home.database().starts_with("sqlite:");
    let second = if sqlite { None } else { Some(Plan::new(&world.home).serve().await?) };
    let saved = async || checkpoint(&world, job).await.map(|saved| saved.is_some());
    eventually(GENEROUS, "the checkpoint to be stored", saved).await?;
    first.kill().await?;
    let mut second = match second {
        Some(node) => node,
        None => Plan::new(&world.home).serve().await?,
    };
    load.finished(GENEROUS).await?;
    let (_, runs) = load.job(job).await?;
    let outcomes: Vec<Outcome> = runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [Outcome::Success, Outcome::Crashed]);
    assert_ne!(runs[0].node_id, runs[1].node_id);
    assert_eq!(output(&runs)?["counted"], json!(1));
    second.drain().await?;
    Ok(())
}

async fn checkpoint(world: &World, job: JobId) -> Result<Option<Vec<u8>>> {
    let options = OpenOptions { role: Role::Client, ..OpenOptions::new(Clock::system()) };
    let store = open(world.home.database(), &options).await?;
    let data = store.checkpoint(job).await?;
    store.close().await;
    Ok(data.map(|data| data.to_vec()))
}

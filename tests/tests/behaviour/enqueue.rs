//! Jobs come in by the command line, and by SQL.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use flyball::job::JobState;
use flyball_tests::process::{self, Lines, Process};
use flyball_tests::{GENEROUS, Node, eventually};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    every_option_of_enqueue_is_kept_with_the_job,
    whoever_enqueues_waits_for_the_end_if_asked_to,
    args_that_do_not_fit_the_worker_are_refused_when_they_are_enqueued,
    a_hundred_thousand_lines_are_a_hundred_thousand_jobs_within_bounded_memory,
    a_line_that_is_no_args_is_told_with_what_was_enqueued_before,
);

async fn every_option_of_enqueue_is_kept_with_the_job(world: World) -> Result<()> {
    let parent = world.home.call(&["enqueue", "echo"]).await?;
    let mut arguments = vec!["enqueue", "echo", r#"{ "b": 1.50 }"#, "--parent", parent.trim_end()];
    arguments.extend([
        "--queue",
        "mail",
        "--priority",
        "7",
        "--at",
        "2099-01-31T12:00:00Z",
        "--class",
        "gpu",
    ]);
    arguments.extend(["--unique-key", "k", "--unique-active-key", "a", "--tag", "x", "--tag", "y"]);
    arguments.extend(["--max-attempts", "3", "--timeout", "90s", "--fuel", "5G"]);
    arguments.extend(["--backoff-base", "2s", "--backoff-cap", "10m", "--request-id", "r1"]);
    arguments.extend(["--metadata", r#"{"tenant": 7}"#]);
    let id = world.home.call(&arguments).await?;
    let job: Value = world.home.ask(&["jobs", "show", id.trim_end(), "--json"]).await?;
    let expected = json!({
        "kind": "echo", "args": {"b": 1.5}, "queue": "mail", "priority": 7, "state": "scheduled",
        "scheduled_at": "2099-01-31T12:00:00.000000Z", "executor_class": "gpu", "unique_key": "k",
        "unique_active_key": "a", "tags": ["x", "y"], "max_attempts": 3, "timeout_ms": 90_000,
        "fuel": 5_000_000_000_u64, "backoff_base_ms": 2000, "backoff_cap_ms": 600_000,
        "parent_id": parent.trim_end(), "root_id": parent.trim_end(), "depth": 1,
        "metadata": {"request_id": "r1", "tenant": 7},
    });
    for (name, value) in expected.as_object().context("an object")? {
        assert_eq!(&job[name], value, "{name}");
    }
    let id = world.home.call(&["enqueue", "echo", "--in", "1h"]).await?;
    let later: Value = world.home.ask(&["jobs", "show", id.trim_end(), "--json"]).await?;
    assert_eq!(later["state"], "scheduled");
    for (flag, wrong) in [("--priority", "32768"), ("--parent", "12"), ("--in", "soon")] {
        let refused = world.home.run(&["enqueue", "echo", flag, wrong]).await?;
        assert!(refused.code == Some(2) && refused.stderr.contains(wrong), "{refused:?}");
    }
    Ok(())
}

async fn whoever_enqueues_waits_for_the_end_if_asked_to(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let late = world.home.run(&["enqueue", "echo", "--wait=10ms"]).await?;
    assert_eq!(late.code, Some(1));
    assert!(late.stderr.contains("has not ended within 10ms; it goes on"), "{}", late.stderr);
    let mut node = Node::serve(&world.home, &[]).await?;
    let id = world.home.call(&["enqueue", "echo", "--wait"]).await?;
    let job: Value = world.home.ask(&["jobs", "show", id.trim_end(), "--json"]).await?;
    assert_eq!(job["state"], "succeeded", "it had ended when the call did");
    let failed = r#"{"fail": {"class": "permanent", "message": "no such thing"}}"#;
    let failed = world.home.run(&["enqueue", "echo", failed, "--wait=1m"]).await?;
    assert_eq!((failed.code, failed.stdout.lines().count()), (Some(1), 1), "{}", failed.stderr);
    assert!(failed.stderr.contains("was discarded: no such thing"), "{}", failed.stderr);
    node.drain().await?;
    Ok(())
}

async fn args_that_do_not_fit_the_worker_are_refused_when_they_are_enqueued(world: World) -> Result<()> {
    let world = world.with(&["word-count"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let refused = async || {
        let ran = world.home.run(&["enqueue", "word-count", r#"{"text": 7}"#]).await?;
        Ok::<_, anyhow::Error>((ran.code == Some(1)).then_some(ran.stderr))
    };
    // The node publishes what it has loaded.
    let told = eventually(GENEROUS, "the schema to be published", refused).await?;
    assert!(told.contains(r#"args/text: 7 is not of type "string""#), "{told}");
    node.drain().await?;
    Ok(())
}

/// The command, with no more memory for its data than so many KiB.
fn within(kib: u32, command: &Command) -> Command {
    let mut bounded = process::command("sh");
    bounded.args(["-c", &format!(r#"ulimit -d {kib}; exec "$0" "$@""#)]);
    bounded.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bounded.current_dir(folder);
    }
    bounded
}

async fn a_hundred_thousand_lines_are_a_hundred_thousand_jobs_within_bounded_memory(
    world: World,
) -> Result<()> {
    const JOBS: usize = 100_000;
    /// Far less than all of the args take.
    const MEMORY_KIB: u32 = 56 << 10;
    let padding = "x".repeat(800);
    let mut lines = String::with_capacity(JOBS * 840);
    for at in 0..JOBS {
        writeln!(lines, r#"{{"at":{at},"padding":"{padding}"}}"#)?;
    }
    std::fs::write(world.home.folder().join("lines"), lines)?;
    let command = within(MEMORY_KIB, &world.home.command(&["enqueue", "echo", "@lines", "--lines"])?);
    let begun = flyball_tests::ambient::instant();
    let mut enqueue = Process::spawn(command, Lines::default(), Lines::default(), None)?;
    let exit = enqueue.wait(GENEROUS * 4).await?;
    assert_eq!(exit.status.code(), Some(0), "{}", enqueue.stderr().tail(20));
    println!("{JOBS} jobs with 80 MB of args, within {} MiB, took {:?}", MEMORY_KIB >> 10, begun.elapsed());
    let ids: Vec<String> = enqueue.stdout().all().into_iter().map(|line| line.text.to_string()).collect();
    assert_eq!(ids.len(), JOBS);
    for at in [0, 4999, 5000, 77_777, JOBS - 1] {
        let job: Value = world.home.ask(&["jobs", "show", &ids[at], "--json"]).await?;
        assert_eq!(job["args"]["at"], at, "in the order of the lines");
    }
    Ok(())
}

async fn a_line_that_is_no_args_is_told_with_what_was_enqueued_before(world: World) -> Result<()> {
    let mut lines = "{}\n".repeat(5000);
    lines.push_str("\n{}\n{\n");
    std::fs::write(world.home.folder().join("lines"), lines)?;
    let ran = world.home.run(&["enqueue", "echo", "@lines", "--lines"]).await?;
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(1), 5000), "{}", ran.stderr);
    let told = "lines 5001 to 5003; the 5000 jobs of the lines before are enqueued";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    Ok(())
}

#[tokio::test]
async fn args_enqueued_by_sql_that_do_not_fit_the_worker_end_as_validation() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["word-count"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let mut connection = PgConnection::connect(world.home.database()).await?;
    let enqueue = r#"SELECT flyball.enqueue('word-count', '{"text": 7}')"#;
    let id: uuid::Uuid = sqlx::query_scalar(enqueue).fetch_one(&mut connection).await?;
    let show = async || world.home.ask::<Value>(&["jobs", "show", &id.to_string(), "--json"]).await;
    eventually(GENEROUS, "its end", async || {
        show().await.is_ok_and(|job| job["state"] == JobState::Discarded.as_str())
    })
    .await?;
    let job = show().await?;
    assert_eq!(job["runs"][0]["error_class"], "validation");
    assert_eq!(job["runs"][0]["error_message"], r#"args/text: 7 is not of type "string""#);
    node.drain().await?;
    Ok(())
}

#[tokio::test]
async fn what_sql_asks_for_on_a_discard_is_not_lost_for_args_that_nobody_can_read() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["word-count"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    let mut connection = PgConnection::connect(world.home.database()).await?;
    let deep = format!(r#"{{"text": {}{}}}"#, "[".repeat(200), "]".repeat(200));
    let enqueue = "SELECT flyball.enqueue('word-count', '{\"text\": 7}', on_discard => jsonb_build_object('kind', 'word-count', 'args', $1::jsonb))";
    let id: uuid::Uuid = sqlx::query_scalar(enqueue).bind(deep).fetch_one(&mut connection).await?;
    let ended = "SELECT r.error_class, r.error_message FROM flyball.jobs j JOIN flyball.job_runs r ON r.job_id = j.id \
                 WHERE j.parent_id = $1 AND j.state = 'discarded'";
    let mut found: Option<(String, String)> = None;
    eventually(GENEROUS, "what follows to end", async || {
        found = sqlx::query_as(ended).bind(id).fetch_optional(&mut connection).await?;
        Ok::<_, sqlx::Error>(found.is_some())
    })
    .await?;
    let (class, message) = found.unwrap_or_default();
    assert_eq!(class, "validation");
    assert!(message.contains("recursion limit"), "{message}");
    node.drain().await?;
    Ok(())
}

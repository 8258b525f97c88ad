//! Kinds come, change and go while the node runs.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::{JobState, Outcome};
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Home, Node, ambient, eventually, guests};
use serde_json::json;

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_job_enqueued_before_its_kind_existed_runs_when_the_component_is_dropped_in,
    replacing_a_component_under_load_loses_and_fails_no_job,
    a_truncated_file_leaves_the_old_version_running_and_says_why,
    a_worker_can_not_ask_for_more_attempts_than_the_operator_gives_a_kind,
);

/// Live within a second of its compile.
const PROMISED: Duration = Duration::from_secs(1);

async fn a_job_enqueued_before_its_kind_existed_runs_when_the_component_is_dropped_in(
    world: World,
) -> Result<()> {
    let mut node = Node::serve(&world.home, &[]).await?;
    let load = Load::enqueue(world.home.database(), "echo", 1, |_| json!({ "hello": 1 })).await?;
    let status: serde_json::Value = world.home.ask(&["status", "--json"]).await?;
    let waiting = &status["kinds_waiting"][0];
    assert_eq!((&waiting["kind"], &waiting["available"]), (&json!("echo"), &json!(1)), "{status}");
    assert_eq!(status["overall"]["ready"], 1, "{status}");
    let echo = guests::find("echo")?;
    let dropped = ambient::instant();
    echo.put_into(&world.home.plugins())?;
    let took = node.log().wait_for(GENEROUS, "echo in service", |line| {
        let said = line.text.contains("plugin in service") && line.text.contains("echo");
        said.then(|| line.json()?.get("fields")?.get("took")?.as_str().map(str::to_owned)).flatten()
    });
    let compile = took.await?;
    let live = dropped.elapsed();
    println!(
        "live {live:?} after it was dropped in, of which loading took {compile}; promised {PROMISED:?} beside that"
    );
    load.finished(GENEROUS).await?;
    let (job, runs) = load.job(load.ids()[0]).await?;
    assert_eq!((job.state, runs.len()), (JobState::Succeeded, 1));
    let seconds: f64 = parse_debug_duration(&compile).context("a duration")?;
    assert!(
        live.as_secs_f64() - seconds < PROMISED.as_secs_f64() * 3.0,
        "{live:?} with {compile} of loading"
    );
    node.drain().await?;
    Ok(())
}

/// Reads what `{:?}` of a duration wrote.
fn parse_debug_duration(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..end].parse().ok()?;
    Some(match &text[end..] {
        "s" => number,
        "ms" => number / 1e3,
        "µs" => number / 1e6,
        _ => return None,
    })
}

async fn replacing_a_component_under_load_loses_and_fails_no_job(world: World) -> Result<()> {
    let plugins = world.home.plugins();
    guests::find("echo")?.put_into(&plugins)?;
    let mut node = Node::serve(&world.home, &["--concurrency", "8"]).await?;
    let load = Load::enqueue(world.home.database(), "echo", 1000, |_| json!({ "sleep_ms": 20 })).await?;
    node.log()
        .wait_for(GENEROUS, "a guest", |line| line.text.contains("guest started").then_some(()))
        .await?;
    // The same worker with one custom section more is another component, under another digest.
    let mut bytes = fs::read(&guests::find("echo")?.component)?;
    bytes.extend([0, 5, 4, b'm', b'o', b'r', b'e']);
    fs::write(plugins.join("echo.new"), bytes)?;
    fs::rename(plugins.join("echo.new"), plugins.join("echo.wasm"))?;
    load.finished(GENEROUS * 2).await?;
    let audit = load.audit().await?;
    let digests: BTreeSet<_> =
        audit.jobs.iter().flat_map(|(_, runs)| runs).map(|run| &run.component_digest).collect();
    println!("runs by outcome: {:?}; {} digests", audit.outcomes, digests.len());
    assert_eq!(audit.outcomes.get(&Outcome::Success), Some(&1000), "{:?}", audit.outcomes);
    assert_eq!(audit.outcomes.len(), 1);
    assert_eq!(digests.len(), 2, "the runs show both");
    node.drain().await?;
    Ok(())
}

async fn a_truncated_file_leaves_the_old_version_running_and_says_why(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    node.log()
        .wait_for(GENEROUS, "echo in service", |line| line.text.contains("plugin in service").then_some(()))
        .await?;
    let whole = fs::read(&guests::find("echo")?.component)?;
    fs::write(world.home.plugins().join("echo.wasm"), &whole[..whole.len() / 2])?;
    let refused = node.log().wait_for(GENEROUS, "a refusal", |line| {
        line.text.contains("plugin refused").then(|| line.text.to_string())
    });
    let reason = refused.await?;
    println!("{reason}");
    assert!(reason.contains("incomplete") || reason.contains("ends"), "{reason}");
    let load = Load::enqueue(world.home.database(), "echo", 3, |_| json!({})).await?;
    load.finished(GENEROUS).await?;
    load.audit().await?.assert_each_succeeded_once()?;
    node.drain().await?;
    Ok(())
}

async fn a_worker_can_not_ask_for_more_attempts_than_the_operator_gives_a_kind(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let plugins = world.home.plugins();
    guests::find("echo")?.put_as("frugal", &plugins)?;
    fs::write(plugins.join("frugal.toml"), "[retry]\nmax_attempts = 3\n")?;
    fs::write(plugins.join("echo.toml"), "[grants.enqueue]\nkinds = [\"frugal\", \"unknown\"]\n")?;
    let mut node = Node::serve(&world.home, &[]).await?;
    node.log()
        .wait_for(GENEROUS, "frugal in service", |line| {
            (line.text.contains("plugin in service") && line.text.contains("frugal")).then_some(())
        })
        .await?;
    let wish =
        |kind: &str, attempts: u32| json!({ "kind": kind, "max_attempts": attempts, "tags": ["wish"] });
    let wishes = [wish("frugal", 1000), wish("frugal", 2), wish("unknown", 1000), wish("unknown", 7)];
    let args = json!({ "follow_ups": wishes });
    Load::enqueue(world.home.database(), "echo", 1, |_| args.clone()).await?;
    // Those of a kind that nobody has stay where they are.
    let mut given = eventually(GENEROUS, "four follow-ups", async || {
        let listed: Vec<serde_json::Value> =
            world.home.ask(&["jobs", "list", "--tag", "wish", "--json"]).await?;
        let given: Vec<_> = listed.iter().filter_map(|job| job["max_attempts"].as_u64()).collect();
        anyhow::Ok((given.len() == 4).then_some(given))
    })
    .await?;
    given.sort_unstable();
    assert_eq!(given, [2, 3, 7, 25]);
    node.drain().await?;
    Ok(())
}

#[tokio::test]
async fn a_worker_that_is_tried_out_tells_its_follow_ups_as_they_would_be_enqueued() -> Result<()> {
    let home = Home::sqlite()?;
    guests::find("echo")?.put_into(&home.plugins())?;
    fs::write(home.plugins().join("echo.toml"), "[grants.enqueue]\nkinds = [\"report\"]\n")?;
    let checked = home.call(&["plugins", "check", "plugins/echo.wasm"]).await?;
    assert!(checked.contains("behind a barrier it reads what jobs of the kinds"), "{checked}");
    let wish = json!({
        "kind": "report", "args": { "n": 1 }, "unique_key": "night", "tags": ["wish"], "max_attempts": 3,
        "priority": 200,
    });
    let args = json!({ "follow_ups": [wish] }).to_string();
    let told: serde_json::Value = home.ask(&["run", "echo", &args, "--json"]).await?;
    let follow_up = &told["follow_ups"][0];
    let columns =
        ["kind", "queue", "args", "priority", "tags", "max_attempts", "executor_class", "unique_active_key"];
    let expected = [
        json!("report"),
        json!("default"),
        json!({ "n": 1 }),
        json!(200),
        json!(["wish"]),
        json!(3),
        json!(""),
        json!(null),
    ];
    assert_eq!(columns.map(|column| follow_up[column].clone()), expected, "{told}");
    let key = follow_up["unique_key"].as_str().context("a key")?;
    assert!(key.ends_with("night") && key != "night", "a key in the kind's own space: {key:?}");
    Ok(())
}

//! `serve --until-idle`: a node that works until nothing is left for it, and ends.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::Client;
use flyball::job::{InsertOpts, JobId, JobState, Kind, Queue, When};
use flyball::store::{Flag, Flagged};
use flyball_tests::GENEROUS;
use flyball_tests::node::Plan;

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_node_runs_until_idle_and_brings_to_an_end_what_it_has_begun,
    what_waits_for_somebody_else_does_not_keep_a_node,
);

async fn enqueue(
    client: &Client,
    kind: &str,
    args: &str,
    change: impl FnOnce(&mut InsertOpts),
) -> Result<JobId> {
    let mut job = InsertOpts::new(Kind::new(kind)?, args);
    change(&mut job);
    Ok(client.enqueue(job).await?.id())
}

async fn until_idle(world: &World, arguments: &[&str]) -> Result<()> {
    let mut node = Plan::new(&world.home).with(arguments).start()?;
    let exit = node.wait(GENEROUS).await?;
    assert_eq!(exit.status.code(), Some(0), "{}", node.log().tail(30));
    Ok(())
}

async fn state(client: &Client, job: JobId) -> Result<JobState> {
    Ok(client.job(job).await?.context("the job is there")?.state)
}

async fn a_node_runs_until_idle_and_brings_to_an_end_what_it_has_begun(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let asks = r#"{ "follow_ups": [{ "kind": "echo" }], "barrier": { "kind": "echo" } }"#;
    let family = enqueue(&client, "echo", asks, |_| ()).await?;
    let fails = r#"{ "fail": { "class": "transient", "message": "no" } }"#;
    let retried = enqueue(&client, "echo", fails, |job| job.overrides.max_attempts = Some(2)).await?;
    let long = enqueue(&client, "echo", r#"{ "sleep_ms": 1500 }"#, |_| ()).await?;
    until_idle(&world, &["--until-idle"]).await?;
    assert_eq!(state(&client, long).await?, JobState::Succeeded);
    assert_eq!(state(&client, retried).await?, JobState::Discarded, "a retry in backoff was waited for");
    let children = client.children(family, 10).await?;
    let states: Vec<_> = children.iter().map(|child| child.state).collect();
    assert_eq!(states, [JobState::Succeeded, JobState::Succeeded], "the follow-up and its barrier");
    client.close().await;
    Ok(())
}

async fn what_waits_for_somebody_else_does_not_keep_a_node(world: World) -> Result<()> {
    let world = world.with(&["echo", "misbehave"])?;
    let client = Client::connect(world.home.database(), "test").await?;
    let later = enqueue(&client, "echo", "{}", |job| job.when = When::In(Duration::from_secs(60))).await?;
    let unknown = enqueue(&client, "nobody", "{}", |_| ()).await?;
    let paused = enqueue(&client, "echo", "{}", |job| job.queue = Queue::new("mail").expect("valid")).await?;
    client.flag(&Flagged::Queue(Queue::new("mail")?), Flag::Pause).await?;
    client.flag(&Flagged::Kind(Kind::new("misbehave")?), Flag::Pause).await?;
    let of_a_paused_kind = enqueue(&client, "misbehave", "{}", |_| ()).await?;
    let far = r#"{ "snooze_ms": 300000 }"#;
    let snoozed = enqueue(&client, "echo", far, |_| ()).await?;
    let now = enqueue(&client, "echo", "{}", |_| ()).await?;
    until_idle(&world, &["--until-idle=30s"]).await?;
    assert_eq!(state(&client, now).await?, JobState::Succeeded);
    assert_eq!(state(&client, later).await?, JobState::Scheduled);
    assert_eq!(state(&client, snoozed).await?, JobState::Scheduled);
    for job in [unknown, paused, of_a_paused_kind] {
        assert_eq!(state(&client, job).await?, JobState::Available);
    }
    client.close().await;
    Ok(())
}

//! Jobs that wait are taken as soon as there is room, and those that come are heard of at once: the poll is only for
//! what no ring told.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::JobState;
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Node, ambient, eventually};
use serde_json::json;

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    a_full_queue_is_filled_again_as_soon_as_a_slot_is_freed,
    a_job_enqueued_by_the_command_line_starts_without_waiting_for_the_poll,
    a_node_without_work_does_next_to_nothing,
);

/// What a poll would take; nothing here may wait for one.
const POLL: [&str; 2] = ["--poll-interval", "20s"];
const SOON: Duration = Duration::from_secs(10);
/// In which an idle node is watched.
const WINDOW: Duration = Duration::from_secs(3);

async fn a_full_queue_is_filled_again_as_soon_as_a_slot_is_freed(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let load = Load::enqueue(world.home.database(), "noop", 20, |_| json!({})).await?;
    let bounded = ["--queue", "default=1", "--concurrency", "4"];
    let mut node = Node::serve(&world.home, &[&bounded[..], &POLL].concat()).await?;
    let first = async || load.unfinished().await.map(|unfinished| unfinished < 20);
    eventually(GENEROUS, "the first to end", first).await?;
    let begun = ambient::instant();
    load.finished(SOON).await?;
    println!("the other jobs, one at a time, took {:?}", begun.elapsed());
    load.audit().await?.assert_each_succeeded_once()?;
    node.drain().await?;
    Ok(())
}

async fn a_job_enqueued_by_the_command_line_starts_without_waiting_for_the_poll(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let mut node = Node::serve(&world.home, &POLL).await?;
    // The node has looked for work, and found none, once this one has ended.
    let load = Load::enqueue(world.home.database(), "noop", 1, |_| json!({})).await?;
    load.finished(GENEROUS).await?;
    for _ in 0..3 {
        let id = world.home.call(&["enqueue", "noop"]).await?.trim_end().parse()?;
        let enqueued = ambient::instant();
        let ended = async || load.job(id).await.map(|(job, _)| job.state == JobState::Succeeded);
        eventually(SOON, "the job to end", ended).await?;
        println!("ended {:?} after the command", enqueued.elapsed());
    }
    node.drain().await?;
    Ok(())
}

async fn a_node_without_work_does_next_to_nothing(world: World) -> Result<()> {
    let world = world.with(&["noop"])?;
    let mut node = Node::serve(&world.home, &[]).await?;
    // Its kind is in service, which was news once.
    let load = Load::enqueue(world.home.database(), "noop", 1, |_| json!({})).await?;
    load.finished(GENEROUS).await?;
    let Some(before) = processor_time(node.pid()) else { return Ok(()) };
    // It is a rate that is looked at: there is nothing to wait for.
    tokio::time::sleep(WINDOW).await;
    let used = processor_time(node.pid()).context("it still runs")?.saturating_sub(before);
    println!("{used:?} of processor time in {WINDOW:?}");
    assert!(used < WINDOW / 5, "{used:?}");
    node.drain().await?;
    Ok(())
}

/// What a process has used so far, as Linux tells it: in hundredths of a second.
fn processor_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks: u64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}

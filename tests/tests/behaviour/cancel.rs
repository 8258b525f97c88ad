//! A cancel from another process stops what runs.

use std::time::Duration;

use anyhow::{Context as _, Result};
use flyball::job::{JobState, Outcome};
use flyball::store::Answer;
use flyball_tests::load::Load;
use flyball_tests::process::Line;
use flyball_tests::proxy::Pattern;
use flyball_tests::{GENEROUS, Node};
use serde_json::json;

use crate::worlds::{World, on_both_databases};

on_both_databases!(a_cancel_from_another_process_stops_a_spinning_attempt);

/// From commit to the guest's last instruction.
const TARGET: Duration = Duration::from_millis(250);
const TIMES: usize = 100;

async fn a_cancel_from_another_process_stops_a_spinning_attempt(world: World) -> Result<()> {
    let world = world.with(&["misbehave"])?;
    let mut node = Node::serve(&world.home, &["--concurrency", "1"]).await?;
    let mut took = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let load =
            Load::enqueue(world.home.database(), "misbehave", 1, |_| json!({ "do": "spin-unstoppably" }))
                .await?;
        let id = load.ids()[0];
        heard(&node, "guest started", &id.to_string()).await?;
        let answer = load.client().cancel(&[id]).await?;
        assert_eq!(answer, [Answer::Requested]);
        // The call returns after its commit: counted from here, the span is a little short of the truth only by the
        // way of the answer back to us.
        let committed = flyball_tests::ambient::now();
        let ended = heard(&node, "guest ended", &id.to_string()).await?;
        took.push(Duration::from_micros(ended.saturating_sub(committed.0).unsigned_abs()));
        load.finished(GENEROUS).await?;
        let (job, runs) = load.job(id).await?;
        assert_eq!((job.state, runs[0].outcome), (JobState::Cancelled, Outcome::Cancelled));
    }
    node.drain().await?;
    took.sort();
    let (median, p99) = (took[TIMES / 2], took[TIMES * 99 / 100]);
    println!(
        "{TIMES} cancels: median {median:?}, p99 {p99:?}, longest {:?}; target {TARGET:?}",
        took[TIMES - 1]
    );
    assert!(p99 <= TARGET * 3, "{p99:?}");
    Ok(())
}

/// The job runs for the database and not yet for its node: there is nobody to be asked to stop.
#[tokio::test]
async fn a_cancel_that_overtakes_the_answer_to_its_jobs_claim_is_carried_out_at_once() -> Result<()> {
    let Some(world) = World::postgres().await? else { return Ok(()) };
    let world = world.with(&["misbehave"])?;
    let (through, proxy) = world.behind_a_proxy()?;
    let load =
        Load::enqueue(world.home.database(), "misbehave", 1, |_| json!({ "do": "spin-unstoppably" })).await?;
    let hold = proxy.hold_next(Pattern::statement("Claims due jobs for a node"));
    let mut node = Node::serve(&through, &[]).await?;
    let release = hold.struck(GENEROUS).await?;
    let looked =
        proxy.hold_next(Pattern::statement("The runs of a node whose jobs somebody asked to cancel"));
    assert_eq!(load.client().cancel(load.ids()).await?, [Answer::Requested]);
    let heard = flyball_tests::ambient::instant();
    // By the time the answer passes the node has looked, and has found a job that nobody there runs.
    looked.struck(GENEROUS).await?.now();
    release.now();
    load.finished(GENEROUS).await?;
    assert!(heard.elapsed() < Duration::from_secs(2), "{:?}", heard.elapsed());
    assert_eq!(load.job(load.ids()[0]).await?.0.state, JobState::Cancelled);
    node.drain().await?;
    Ok(())
}

/// When the node wrote a line with these words about this job, in microseconds since the epoch.
async fn heard(node: &Node, words: &str, job: &str) -> Result<i64> {
    let written =
        |line: &Line| (line.text.contains(words) && line.text.contains(job)).then(|| written_at(line));
    node.log().wait_for(GENEROUS, words, written).await?.context("a timestamp")
}

fn written_at(line: &Line) -> Option<i64> {
    let json = line.json()?;
    let at = flyball::job::Timestamp::parse_rfc3339(json.get("timestamp")?.as_str()?)?;
    Some(at.micros())
}

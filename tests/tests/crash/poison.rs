//! A job that takes its node down whenever it starts is given up, and its neighbours are not.

use std::time::Duration;

use anyhow::Result;
use flyball::job::{JobState, Outcome};
use flyball_tests::load::Load;
use flyball_tests::node::Plan;
use rustix::process::Signal;
use serde_json::json;

use crate::worlds::World;

const QUICK: &str = r#"
[node]
lease = "1s"
crash_backoff = { base = "100ms", cap = "200ms" }
"#;

async fn a_poison_job_is_discarded_after_three_losses_and_its_neighbours_are_not(world: World) -> Result<()> {
    let world = world.furnished(QUICK)?;
    world.home.call(&["migrate"]).await?;
    let load = Load::enqueue(world.home.database(), "echo", 8, |_| json!({ "sleep_ms": 1000 })).await?;
    let poison = load.ids()[3].to_string();
    let mut lives = 0;
    while load.unfinished().await? > 0 {
        lives += 1;
        assert!(lives <= 10, "the poison job killed {lives} nodes");
        let victim = poison.clone();
        let plan = Plan::new(&world.home).with(&["--concurrency", "8"]).hearing(move |line, process| {
            if line.text.contains("guest started") && line.text.contains(&victim) {
                let _gone = process.signal(Signal::KILL);
            }
        });
        let mut node = plan.start()?;
        tokio::select! {
            exit = node.wait(Duration::from_secs(120)) => drop(exit?),
            finished = load.finished(Duration::from_secs(120)) => finished?,
        }
        node.kill().await?;
    }
    let audit = load.audit().await?;
    for (job, runs) in &audit.jobs {
        let crashes = runs.iter().filter(|run| run.outcome == Outcome::Crashed).count();
        println!("{}: {} after {} runs, {crashes} crashed", job.id, job.state, runs.len());
        if job.id.to_string() == poison {
            assert_eq!((job.state, crashes, runs.len()), (JobState::Discarded, 3, 3));
        } else {
            assert_eq!(job.state, JobState::Succeeded);
            assert!(crashes <= 2, "a neighbour was lost {crashes} times");
        }
    }
    println!("{lives} lives of the node");
    Ok(())
}

#[tokio::test]
async fn a_poison_job_is_discarded_after_three_losses_and_its_neighbours_are_not_on_sqlite() -> Result<()> {
    a_poison_job_is_discarded_after_three_losses_and_its_neighbours_are_not(World::sqlite()?).await
}

#[tokio::test]
async fn a_poison_job_is_discarded_after_three_losses_and_its_neighbours_are_not_on_postgres() -> Result<()> {
    match World::postgres().await? {
        Some(world) => a_poison_job_is_discarded_after_three_losses_and_its_neighbours_are_not(world).await,
        None => Ok(()),
    }
}

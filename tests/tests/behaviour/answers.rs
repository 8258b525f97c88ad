//! Whoever asks a node how it is has an answer, whatever its jobs are like.

use std::time::Duration;

use anyhow::Result;
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Node};
use serde_json::json;

use crate::worlds::World;

/// Checking one of the jobs takes longer than that where nothing is optimised, and a node has few threads of its own.
const PROMPT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn args_that_take_long_to_check_delay_no_answer() -> Result<()> {
    let world = World::sqlite().await?.with(&["exacting"])?;
    let mut node = Node::serve(&world.home, &["--concurrency", "8"]).await?;
    let numbers = json!(vec![1; 20_000]);
    let load = Load::enqueue(world.home.database(), "exacting", 6, |_| numbers.clone()).await?;
    let mut slowest = Duration::ZERO;
    let mut finished = std::pin::pin!(load.finished(GENEROUS * 2));
    loop {
        tokio::select! {
            done = &mut finished => break done?,
            answer = node.get("/readyz") => {
                let answer = answer?;
                assert_eq!(answer.status, 200, "{}", answer.body);
                slowest = slowest.max(answer.took);
            }
        }
    }
    println!("the slowest answer took {slowest:?}");
    assert!(slowest < PROMPT, "{slowest:?}");
    load.audit().await?.assert_each_succeeded_once()?;
    node.drain().await?;
    Ok(())
}

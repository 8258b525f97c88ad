//! One job from start to end: a node on a SQLite file, a typed job, its result.
//!
//! `flyball build plugins/word-count` puts the worker into `plugins/`; then
//! `cargo run --example quick-start -- sqlite:quick-start.db plugins`.

use anyhow::Context as _;
use flyball::app::Node;
use flyball::job::JobArgs;

/// The args of a job, and the kind of the worker that runs it.
#[derive(serde::Serialize)]
struct WordCount {
    text: String,
}

impl JobArgs for WordCount {
    const KIND: &'static str = "word-count";
}

/// What that worker returns, as far as it is wanted here.
#[derive(serde::Deserialize)]
struct Counted {
    lines: u64,
    words: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let database = args.next().unwrap_or_else(|| "sqlite:quick-start.db".to_owned());
    let plugins = args.next().unwrap_or_else(|| "plugins".to_owned());

    let node = Node::builder().database(database).migrate().plugins(plugins).start().await?;
    let (client, stopper) = (node.client("quick-start"), node.stopper());
    let running = tokio::spawn(node.run());

    let text = "the governor neither races\nnor stalls".to_owned();
    let job = client.enqueue(&WordCount { text }).await?.id();
    let ended = client.wait(job).await?.context("somebody deleted the job")?;
    let output = ended.output().with_context(|| format!("the job is {}", ended.job.state))?;
    let counted: Counted = serde_json::from_str(output.as_str())?;
    println!("counted {} words on {} lines", counted.words, counted.lines);

    // Drains: what runs is finished, what is enqueued meanwhile waits for the next node.
    stopper.drain();
    println!("the node stopped: {:?}", running.await?);
    Ok(())
}

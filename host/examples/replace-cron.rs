//! Instead of cron: schedules that survive restarts, fire once however many nodes there are, and keep a record of every
//! run.
//!
//! `cargo run --example replace-cron -- sqlite:replace-cron.db plugins`, with the worker of `plugins/word-count`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use flyball::app::Node;
use flyball::event::Event;
use flyball::job::{InsertOpts, Kind, Slug};
use flyball::timing::{Overlap, Schedule, zone};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let database = args.next().unwrap_or_else(|| "sqlite:replace-cron.db".to_owned());
    let plugins = args.next().unwrap_or_else(|| "plugins".to_owned());

    let job = |text: &str| -> anyhow::Result<InsertOpts> {
        Ok(InsertOpts::new(Kind::new("word-count")?, serde_json::json!({ "text": text }).to_string()))
    };
    // What was `0 2 * * * /usr/local/bin/report` in a crontab.
    let mut nightly = Schedule::new(Slug::new("nightly-report")?, "0 2 * * *".parse()?, job("all of today")?);
    nightly.zone = zone("Europe/Berlin")?;
    // A run that takes longer than a second is waited for.
    let mut tick = Schedule::new(Slug::new("tick")?, "@every 1s".parse()?, job("tick tock")?);
    tick.overlap = Overlap::Skip;

    let fired = Arc::new(AtomicU32::new(0));
    let count = fired.clone();
    let node = Node::builder()
        .database(database)
        .migrate()
        .plugins(plugins)
        .schedules(vec![nightly, tick])
        .on_event(move |event| {
            if let Event::ScheduleFired { slug, enqueued, .. } = event
                && slug.as_str() == "tick"
            {
                count.fetch_add(*enqueued, Ordering::Relaxed);
            }
        })
        .start()
        .await?;
    let (client, stopper) = (node.client("replace-cron"), node.stopper());
    let running = tokio::spawn(node.run());

    while fired.load(Ordering::Relaxed) < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("tick fired twice");
    for schedule in client.schedules().await? {
        let next = schedule.next_at.context("it fires again")?;
        println!("{} fires next at {next}", schedule.slug);
    }

    stopper.drain();
    println!("the node stopped: {:?}", running.await?);
    Ok(())
}

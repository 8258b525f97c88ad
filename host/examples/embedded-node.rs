//! The whole host inside of another program: runners with their own queues and slots, a readiness check, a service and an
//! observer of the program's own.
//!
//! `cargo run --example embedded-node -- sqlite:embedded.db plugins`, with the worker of `plugins/word-count`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use flyball::app::{Node, RunnerSettings};
use flyball::event::Event;
use flyball::job::{InsertOpts, Kind, Queue};
use flyball::service::{Importance, Service, ServiceError};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let database = args.next().unwrap_or_else(|| "sqlite:embedded.db".to_owned());
    let plugins = args.next().unwrap_or_else(|| "plugins".to_owned());

    let (warm, succeeded) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let (warmed, count) = (warm.clone(), succeeded.clone());
    let node = Node::builder()
        .database(database)
        .migrate()
        .plugins(plugins)
        .name("embedded")
        // Four slow reports at once never keep a mail waiting.
        .runner(RunnerSettings::new("mail").queue("mail").concurrency(2))
        .runner(RunnerSettings::new("reports").queue("reports").concurrency(4))
        .ready_when("warm-up", move || {
            let warm = warmed.load(Ordering::Relaxed);
            async move { if warm { Ok(()) } else { Err("the cache is cold") } }
        })
        .service(|client| {
            Service::new("reporter", Importance::Auxiliary, move |token| {
                let client = client.clone();
                async move {
                    let every = Duration::from_secs(1);
                    while token.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
                        eprintln!("{:?}", client.queues().await?);
                    }
                    println!("the reporter stops with its node");
                    Ok::<_, ServiceError>(())
                }
            })
        })
        .observer("counter", 1024, move |event| {
            if let Event::JobFinished(_) = event {
                count.fetch_add(1, Ordering::Relaxed);
            }
            std::future::ready(())
        })
        .start()
        .await?;

    println!("ready at first: {}", node.readiness().ready);
    warm.store(true, Ordering::Relaxed);
    while !node.readiness().ready {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("ready when it is warm: {}", node.readiness().ready);

    let client = node.client("embedded-node");
    for queue in ["mail", "reports", "reports"] {
        let mut job = InsertOpts::new(Kind::new("word-count")?, r#"{"text": "to be counted"}"#);
        job.queue = Queue::new(queue)?;
        client.enqueue(job).await?;
    }
    // Or `node.run()`, until `node.stopper().drain()` is called.
    let stopped = node.run_until_idle().await;
    println!("{} attempts ended, and the node stopped: {stopped:?}", succeeded.load(Ordering::Relaxed));
    Ok(())
}

//! The debug log that tells from when to when a guest ran: tests kill processes and read it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use flyball_tests::{GENEROUS, eventually};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::ground::{self, Ground};

/// Events of the target, as text, in the order in which they were emitted.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn of(&self, job: &str) -> Vec<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|line| line.contains(job)).cloned().collect()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target() == "flyball::attempt" && *metadata.level() == tracing::Level::DEBUG {
            let mut text = Text::default();
            event.record(&mut text);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.0);
        }
    }
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write as _;
        // Writing to a string can't fail.
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

#[tokio::test]
async fn every_guest_is_seen_to_start_and_to_end_once_by_whatever_road() -> Result<()> {
    let heard = Heard::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(heard.clone()))?;
    let ground = Ground::new()?;
    let (echo, misbehave) = (ground.worker("echo").await?, ground.worker("misbehave").await?);

    let (attempt, _) = ground.attempt("{}")?;
    let (id, run) = (attempt.job.id.to_string(), attempt.job.run.to_string());
    ground::output(&ground.sandbox.run(&echo, attempt).await.verdict)?;
    let fields =
        |message| format!("message={message} job_id={id} run_id={run} kind={} attempt=1 ", ground::KIND);
    assert_eq!(heard.of(&id), [fields("guest started"), fields("guest ended")]);

    let (attempt, _) = ground.attempt(r#"{"do": "trap"}"#)?;
    let id = attempt.job.id.to_string();
    ground.sandbox.run(&misbehave, attempt).await;
    assert_eq!(heard.of(&id).len(), 2);

    let (attempt, _) = ground.attempt(r#"{"do": "sleep"}"#)?;
    let id = attempt.job.id.to_string();
    let sandbox = ground.sandbox.clone();
    let running = tokio::spawn(async move { sandbox.run(&misbehave, attempt).await });
    eventually(GENEROUS, "the guest to start", async || heard.of(&id).len() == 1).await?;
    running.abort();
    eventually(GENEROUS, "the guest to end", async || heard.of(&id).len() == 2).await?;
    assert_eq!(ground.sandbox.guest_memory_in_use(), 0, "its memory was gone before its end was told");
    Ok(())
}

//! How an attempt ends that does not complete, and one that is asked to end.

use std::time::Duration;

use anyhow::Result;
use flyball::job::{ErrorClass, Verdict};
use flyball::sandbox::StopCause;
use flyball_tests::{GENEROUS, eventually};
use serde_json::json;

use super::{Spoken, completed, output};

pub(super) async fn each_error_class_arrives_with_message_detail_and_delay(spoken: &Spoken) -> Result<()> {
    let classes = [
        ("transient", ErrorClass::Transient),
        ("permanent", ErrorClass::Permanent),
        ("validation", ErrorClass::Validation),
        ("timeout", ErrorClass::Timeout),
        ("resource", ErrorClass::Resource),
    ];
    for (word, class) in classes {
        let wrong =
            json!({"class": word, "message": "it is ä", "detail": "more\nof it", "retry_after_ms": 90_500});
        let failure = spoken.fail(&json!({ "fail": wrong })).await?;
        assert_eq!((failure.class(), failure.message()), (class, "it is ä"));
        assert_eq!(failure.detail(), Some("more\nof it"));
        assert_eq!(failure.asked_delay(), Some(Duration::from_millis(90_500)));
    }
    Ok(())
}

pub(super) async fn a_failure_says_no_more_than_it_was_told(spoken: &Spoken) -> Result<()> {
    let failure = spoken.fail(&json!({"fail": {"class": "permanent", "message": "no"}})).await?;
    assert_eq!((failure.message(), failure.detail(), failure.asked_delay()), ("no", None, None));
    Ok(())
}

pub(super) async fn what_nobody_caught_is_transient_and_says_what_it_was(spoken: &Spoken) -> Result<()> {
    let failure = spoken.fail(&json!({"panic": "the pan is hot"})).await?;
    assert_eq!(failure.class(), ErrorClass::Transient);
    let said = format!("{} {}", failure.message(), failure.detail().unwrap_or_default());
    assert!(said.contains("the pan is hot"), "{said}");
    Ok(())
}

pub(super) async fn a_snooze_has_its_delay_and_a_cancel_its_reason(spoken: &Spoken) -> Result<()> {
    let ended = spoken.run(spoken.attempt(&json!({"snooze_ms": 12_345}))?.0).await;
    let Verdict::Snoozed { delay } = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
    assert_eq!(delay, Duration::from_millis(12_345));
    let ended = spoken.run(spoken.attempt(&json!({"cancel": "nobody asks any more"}))?.0).await;
    let Verdict::Cancelled { reason } = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
    assert_eq!(reason, "nobody asks any more");
    Ok(())
}

pub(super) async fn a_wish_to_stop_is_seen_while_the_worker_works(spoken: &Spoken) -> Result<()> {
    for (cause, word) in [(StopCause::Cancel, "cancel"), (StopCause::Drain, "drain")] {
        let (mut attempt, memory) = spoken.attempt(&json!({"progress": 0.5, "until_stopped": true}))?;
        attempt.budget.fuel = 1 << 50;
        let stop = attempt.stop.clone();
        let (sandbox, worker) = (spoken.ground.sandbox.clone(), spoken.worker.clone());
        let running = tokio::spawn(async move { sandbox.run(&worker, attempt).await });
        eventually(GENEROUS, "the worker to be at work", async || !memory.progress().is_empty()).await?;
        assert!(!running.is_finished(), "nobody has asked it to stop");
        stop.ask(cause, GENEROUS);
        assert_eq!(output(&completed(running.await?)?)?["stopped"], word);
    }
    Ok(())
}

//! Durations in the languages that could say one without a unit.

use std::time::Duration;

use anyhow::Result;
use flyball::job::Verdict;
use serde_json::{Value, json};

use super::Spoken;

/// Wherever a worker may say a duration.
fn orders(duration: &Value) -> [Value; 4] {
    [
        json!({"snooze": duration}),
        json!({"fail": {"message": "later", "retry_after": duration}}),
        json!({"follow_ups": [{"kind": "tried", "delay": duration}]}),
        json!({"barrier": {"kind": "tried", "delay": duration}}),
    ]
}

pub(super) async fn a_bare_number_is_no_duration(spoken: &Spoken) -> Result<()> {
    for duration in [json!(5), json!(0), json!(1.5)] {
        for orders in orders(&duration) {
            let failure = spoken.fail(&orders).await?;
            let said = format!("{} {}", failure.message(), failure.detail().unwrap_or_default());
            assert!(said.contains("write \"5m\" or ") && said.contains("not "), "{orders}: {said}");
        }
    }
    Ok(())
}

pub(super) async fn a_duration_is_text_with_a_unit(spoken: &Spoken) -> Result<()> {
    for (text, millis) in [("5m", 300_000), ("1500ms", 1500), ("2h", 7_200_000)] {
        let ended = spoken.run(spoken.attempt(&json!({ "snooze": text }))?.0).await;
        let Verdict::Snoozed { delay } = ended.verdict else { anyhow::bail!("{:?}", ended.verdict) };
        assert_eq!(delay, Duration::from_millis(millis));
    }
    for orders in orders(&json!("5 minutes")) {
        let failure = spoken.fail(&orders).await?;
        assert!(failure.message().contains("such as 30s"), "{orders}: {}", failure.message());
    }
    Ok(())
}

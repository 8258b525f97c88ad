//! Waiting for a condition: with a generous bound, and never for a fixed time.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::ambient;

/// The bound for what should take milliseconds and may take long on a machine that does other things as well.
pub const GENEROUS: Duration = Duration::from_secs(60);

const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What a probe may answer: a yes with a value, or a reason why it is not there yet.
pub trait Answer {
    /// What is waited for.
    type Value;

    /// The value, or why it is not there yet.
    ///
    /// # Errors
    /// When the condition does not hold yet.
    fn value(self) -> Result<Self::Value, String>;
}

impl Answer for bool {
    type Value = ();

    fn value(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it is false".to_owned()) }
    }
}

impl<T> Answer for Option<T> {
    type Value = T;

    fn value(self) -> Result<T, String> {
        self.ok_or_else(|| "there is nothing".to_owned())
    }
}

impl<A: Answer, E: std::fmt::Display> Answer for Result<A, E> {
    type Value = A::Value;

    /// An error is not the end: what is waited for may be a server that does not listen yet.
    fn value(self) -> Result<A::Value, String> {
        self.map_err(|error| format!("{error:#}"))?.value()
    }
}

/// Asks `probe` again and again until it answers yes (`true`, `Some`, `Ok` of one of these), and gives its value.
///
/// # Errors
/// When the bound has passed; the error says for `what`, and what the last probe answered.
pub async fn eventually<A: Answer>(
    bound: Duration,
    what: &str,
    mut probe: impl AsyncFnMut() -> A,
) -> Result<A::Value> {
    let begun = ambient::instant();
    let mut pause = FIRST_PAUSE;
    let mut last = "no answer at all".to_owned();
    loop {
        let Some(left) = bound.checked_sub(begun.elapsed()) else {
            bail!("waited {bound:?} for {what}; at last: {last}");
        };
        match tokio::time::timeout(left, probe()).await.map(Answer::value) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(reason)) => last = reason,
            Err(_) => {
                bail!("waited {bound:?} for {what}; the last probe never answered, the one before: {last}")
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_condition_that_comes_true_is_seen_and_its_value_given() {
        let mut asked = 0;
        let value = eventually(GENEROUS, "the third question", async || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(value.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn an_error_is_retried_and_the_last_one_is_told() {
        let bound = Duration::from_millis(20);
        let answer = eventually(bound, "the moon", async || Err::<bool, _>("clouds")).await;
        let told = answer.unwrap_err().to_string();
        assert!(told.contains("the moon") && told.contains("clouds"), "{told}");
    }

    #[tokio::test]
    async fn a_probe_that_never_answers_is_given_up_at_the_bound() {
        let bound = Duration::from_millis(20);
        let answer = eventually(bound, "nothing", async || std::future::pending::<bool>().await).await;
        assert!(answer.unwrap_err().to_string().contains("never answered"));
    }
}

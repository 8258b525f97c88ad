//! Readiness checks of the program that a node is part of: asked once a second, each by itself, and answered from memory.
//! One that is slow or panics is no other's concern, and no probe waits for it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::http::FailingCheck;
use crate::service::ServiceError;

/// From one answer to the next question.
const EVERY: Duration = Duration::from_secs(1);
/// A check has so long to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most characters of a reason that are told.
const REASON: usize = 300;

type Answer = Pin<Box<dyn Future<Output = Result<(), ServiceError>> + Send>>;

/// A check by its name.
pub(super) struct Check {
    pub(super) name: &'static str,
    ask: Box<dyn Fn() -> Answer + Send + Sync>,
}

impl Check {
    pub(super) fn new<F, E>(name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<ServiceError>,
    {
        let ask = move || -> Answer {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(Into::into) })
        };
        Self { name, ask: Box::new(ask) }
    }
}

/// The checks of a node, with what each answered last. Cheap to clone.
#[derive(Clone)]
pub(super) struct Checks(Arc<Inner>);

struct Inner {
    checks: Vec<Arc<Check>>,
    /// Why each fails; `None` for one that does not.
    failing: Mutex<Vec<Option<String>>>,
}

impl Checks {
    /// Failing, all of them, until they have answered.
    pub(super) fn new(checks: Vec<Check>) -> Self {
        let failing = checks.iter().map(|_| Some("not asked yet".to_owned())).collect();
        let checks = checks.into_iter().map(Arc::new).collect();
        Self(Arc::new(Inner { checks, failing: Mutex::new(failing) }))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.checks.is_empty()
    }

    pub(super) fn failing(&self) -> Vec<FailingCheck> {
        let failing = self.0.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let both = self.0.checks.iter().zip(&*failing);
        both.filter_map(|(check, reason)| Some(FailingCheck { name: check.name, reason: reason.clone()? }))
            .collect()
    }

    /// The service that asks them all, each at its own pace.
    pub(super) async fn watch(self, clock: Clock, token: CancellationToken) -> Result<(), ServiceError> {
        let each = (0..self.0.checks.len()).map(|number| self.watch_one(number, &clock));
        token.run_until_cancelled(join_all(each)).await;
        Ok(())
    }

    async fn watch_one(&self, number: usize, clock: &Clock) {
        let check = &self.0.checks[number];
        loop {
            let asked = check.clone();
            // On a task of its own: a panic ends that, and nothing else.
            let mut asking = tokio::spawn(async move { (asked.ask)().await });
            let ended = tokio::select! {
                ended = &mut asking => Some(ended),
                () = clock.sleep(PATIENCE) => None,
            };
            match ended {
                Some(Ok(Ok(()))) => self.note(number, None),
                Some(Ok(Err(error))) => self.note(number, Some(error.to_string())),
                Some(Err(_)) => self.note(number, Some("it panicked".to_owned())),
                None => {
                    self.note(number, Some(format!("no answer within {} s", PATIENCE.as_secs())));
                    asking.abort();
                    // One that holds on to its thread is not asked a second time meanwhile.
                    let _ended = asking.await;
                }
            }
            clock.sleep(EVERY).await;
        }
    }

    fn note(&self, number: usize, reason: Option<String>) {
        let reason = reason.map(|reason| reason.chars().take(REASON).collect());
        self.0.failing.lock().unwrap_or_else(PoisonError::into_inner)[number] = reason;
    }
}

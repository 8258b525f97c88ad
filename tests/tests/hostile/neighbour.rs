//! Those who must not be harmed: a job of a worker that behaves, and the timers of the rest of the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use flyball_tests::ambient::instant;
use tokio::task::JoinHandle;

use crate::ground::{self, Ground};

/// One job after the other, and a timer, for as long as it lives.
pub(crate) struct Neighbour {
    moved_out: Arc<AtomicBool>,
    jobs: JoinHandle<Result<Vec<Duration>>>,
    timer: JoinHandle<Vec<Duration>>,
}

/// How the neighbour fared.
pub(crate) struct Fared {
    /// How long its jobs took, in order of length.
    pub(crate) jobs: Vec<Duration>,
    /// How late its timer was.
    pub(crate) late: Vec<Duration>,
}

impl Neighbour {
    pub(crate) async fn of(ground: &Arc<Ground>) -> Result<Self> {
        let worker = ground.worker("echo").await?;
        let moved_out = Arc::new(AtomicBool::new(false));
        let jobs = tokio::spawn({
            let (ground, moved_out) = (ground.clone(), moved_out.clone());
            async move {
                let mut took = Vec::new();
                while !moved_out.load(Ordering::Relaxed) {
                    let begun = instant();
                    let (attempt, _) = ground.attempt(r#"{"log": "here", "stdout": "still here"}"#)?;
                    let ended = ground.sandbox.run(&worker, attempt).await;
                    ground::output(&ended.verdict)?;
                    let said: Vec<_> = ended.evidence.log.iter().map(|line| line.message.as_str()).collect();
                    assert_eq!(said, ["here", "still here"], "a line of the neighbour's was lost");
                    took.push(begun.elapsed());
                }
                Ok(took)
            }
        });
        let timer = tokio::spawn({
            let moved_out = moved_out.clone();
            async move {
                let mut late = Vec::new();
                let pause = Duration::from_millis(20);
                while !moved_out.load(Ordering::Relaxed) {
                    let begun = instant();
                    tokio::time::sleep(pause).await;
                    late.push(begun.elapsed().saturating_sub(pause));
                }
                late
            }
        });
        Ok(Self { moved_out, jobs, timer })
    }

    pub(crate) async fn move_out(self) -> Result<Fared> {
        self.moved_out.store(true, Ordering::Relaxed);
        let (mut jobs, mut late) = (self.jobs.await??, self.timer.await?);
        jobs.sort_unstable();
        late.sort_unstable();
        Ok(Fared { jobs, late })
    }
}

/// The value that so many per mille of them do not exceed.
pub(crate) fn per_mille(sorted: &[Duration], of: usize) -> Duration {
    sorted.get((sorted.len() * of / 1000).min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

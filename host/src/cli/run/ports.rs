//! What a worker may ask of the queue when there is none: follow-ups are checked as a node would, and only told.

use std::io::IsTerminal as _;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::job::{ChildRecord, Claim, Kind, LogRecord, NewJob, one_line, visible};
use crate::plugin::{Asker, Plugin};
use crate::sandbox::{FollowUpRequest, Ports, Refusal, Unread};

/// The way out of the one attempt.
pub(super) struct LonePorts {
    plugin: Arc<Plugin>,
    clock: Clock,
    asker: Asker,
    talk: Talk,
}

/// Whether what happens is told as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// To standard error: log lines, and on a terminal progress.
    Live,
    /// It is all in the answer.
    Silent,
}

impl LonePorts {
    pub(super) fn new(plugin: Arc<Plugin>, clock: Clock, claim: &Claim, talk: Talk) -> Self {
        Self { plugin, clock, asker: Asker::from(claim), talk }
    }
}

#[async_trait]
impl Ports for LonePorts {
    fn holds_lease(&self) -> bool {
        true
    }

    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        // Of all kinds this one alone is known.
        let own = |kind: &Kind| (kind == self.plugin.kind()).then(|| self.plugin.terms().max_attempts.value);
        self.plugin.follow_up(&self.asker, wish, own, self.clock.now())
    }

    fn progress(&self, fraction: f64, note: Option<&str>) {
        if self.talk == Talk::Live && std::io::stderr().is_terminal() {
            eprintln!("progress {:.0} % {}", fraction * 100.0, visible(note.unwrap_or_default()));
        }
    }

    /// There is no next attempt.
    fn save_checkpoint(&self, _: Arc<[u8]>) {}

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(None)
    }

    async fn children(&self, _: u32, _: u32) -> Result<Vec<ChildRecord>, Unread> {
        Ok(Vec::new())
    }

    fn log(&self, line: &LogRecord) {
        if self.talk == Talk::Live {
            let fields = line.fields.as_ref().map(|fields| format!(" {fields}")).unwrap_or_default();
            eprintln!("{:<5} {}", line.level, one_line(&format!("{}{fields}", line.message)));
        }
    }
}

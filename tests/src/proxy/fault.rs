//! What the proxy does wrong at the moment, shared by its connections.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::sync::{oneshot, watch};

use super::statements::Meaning;
use super::wire::Message;

/// Which message of a client is meant.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// The one that runs a statement whose text contains this, by a simple query or by a prepared statement.
    Statement(String),
    /// The first one after the log-in that contains these bytes anywhere, parameters included.
    Bytes(Vec<u8>),
}

impl Pattern {
    /// A statement that contains `text`.
    #[must_use]
    pub fn statement(text: &str) -> Self {
        Self::Statement(text.to_owned())
    }

    fn matches(&self, message: &Message, meaning: &Meaning) -> bool {
        match (self, meaning) {
            (Self::Statement(part), Meaning::Runs(text)) => text.contains(part),
            (Self::Statement(_), Meaning::Other) => false,
            (Self::Bytes(part), _) => message.bytes.windows(part.len().max(1)).any(|window| window == part),
        }
    }
}

/// A fault that waits for its message.
#[must_use = "wait for the fault to strike, or the test may have shown nothing"]
pub struct Swallow {
    struck: oneshot::Receiver<()>,
    pattern: Pattern,
}

impl Swallow {
    /// Waits until the answer has been swallowed: the server has done the work, and the connection is cut.
    ///
    /// # Errors
    /// When no message matched within `bound`, or the connection ended before its answer.
    pub async fn struck(self, bound: Duration) -> Result<()> {
        match tokio::time::timeout(bound, self.struck).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => bail!("the connection ended before the answer to {:?}", self.pattern),
            Err(_) => bail!("nothing within {bound:?} matched {:?}", self.pattern),
        }
    }
}

/// A fault that waits for its message, and then for the test.
#[must_use = "dropped, it lets the answer pass"]
pub struct Hold {
    struck: Swallow,
    release: oneshot::Sender<()>,
}

impl Hold {
    /// Waits until the answer is held up: the server has done the work. (Of what is withheld: until it came, and the
    /// server has heard nothing of it.) What lets it pass.
    ///
    /// # Errors
    /// When no message matched within `bound`, or the connection ended before its answer.
    pub async fn struck(self, bound: Duration) -> Result<Release> {
        self.struck.struck(bound).await?;
        Ok(Release { _dropped: self.release })
    }
}

/// Lets an answer pass that was held up, when it is dropped.
#[must_use = "dropped, it lets the answer pass"]
pub struct Release {
    _dropped: oneshot::Sender<()>,
}

impl Release {
    /// Lets the answer pass.
    pub fn now(self) {
        drop(self);
    }
}

/// How forwarding goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Pass(Duration),
    Deaf,
}

/// The faults of one proxy.
pub(super) struct Faults {
    mode: watch::Sender<Mode>,
    /// Grows with every cut; a connection that began under a smaller number ends.
    cuts: watch::Sender<u64>,
    armed: Mutex<Vec<Armed>>,
}

struct Armed {
    pattern: Pattern,
    fault: Struck,
}

/// What is done with the answer to a message that was waited for.
pub(super) struct Struck {
    /// Told when it has been done.
    pub(super) tell: oneshot::Sender<()>,
    pub(super) then: Then,
}

pub(super) enum Then {
    /// It is thrown away, and the connection is cut.
    Cut,
    /// It passes when this is dropped.
    Pass(oneshot::Receiver<()>),
    /// The question itself does not reach the server; the connection is cut when this is dropped.
    Withhold(oneshot::Receiver<()>),
}

impl Default for Faults {
    fn default() -> Self {
        let (mode, cuts) = (watch::Sender::new(Mode::Pass(Duration::ZERO)), watch::Sender::new(0));
        Self { mode, cuts, armed: Mutex::default() }
    }
}

impl Faults {
    pub(super) fn swallow_next(&self, pattern: Pattern) -> Swallow {
        self.arm(pattern, Then::Cut)
    }

    pub(super) fn hold_next(&self, pattern: Pattern) -> Hold {
        let (release, released) = oneshot::channel();
        Hold { struck: self.arm(pattern, Then::Pass(released)), release }
    }

    pub(super) fn withhold_next(&self, pattern: Pattern) -> Hold {
        let (release, released) = oneshot::channel();
        Hold { struck: self.arm(pattern, Then::Withhold(released)), release }
    }

    pub(super) fn disarm(&self) {
        self.armed().clear();
    }

    fn arm(&self, pattern: Pattern, then: Then) -> Swallow {
        let (tell, struck) = oneshot::channel();
        self.armed().push(Armed { pattern: pattern.clone(), fault: Struck { tell, then } });
        Swallow { struck, pattern }
    }

    pub(super) fn go_deaf(&self) {
        self.mode.send_replace(Mode::Deaf);
    }

    pub(super) fn pass(&self) {
        self.delay(Duration::ZERO);
    }

    pub(super) fn delay(&self, by: Duration) {
        self.mode.send_replace(Mode::Pass(by));
    }

    pub(super) fn cut_all(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Every connection watches the cuts.
    pub(super) fn connections(&self) -> usize {
        self.cuts.receiver_count()
    }

    pub(super) fn mode(&self) -> watch::Receiver<Mode> {
        self.mode.subscribe()
    }

    pub(super) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// Takes the fault that this message sets off, if there is one; whoever gets it tells when it has struck.
    pub(super) fn set_off_by(&self, message: &Message, meaning: &Meaning) -> Option<Struck> {
        let mut armed = self.armed();
        let at = armed.iter().position(|armed| armed.pattern.matches(message, meaning))?;
        Some(armed.remove(at).fault)
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a process said, line by line, with the time at which it was read.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::watch;

use super::Handle;
use crate::ambient::{self, Moment};

/// Sees a line in the moment it is read, with the means to signal the process that wrote it.
pub type Hook = Box<dyn Fn(&Line, &Handle) + Send>;

/// One line of output.
#[derive(Clone, Debug)]
pub struct Line {
    /// When the harness read it, which is a little after it was written.
    pub read_at: Moment,
    /// The line without its end.
    pub text: Arc<str>,
}

impl Line {
    /// The line as JSON, if it is an object.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Map<String, serde_json::Value>> {
        serde_json::from_str(&self.text).ok()
    }
}

/// The lines of one output so far. A clone is another view of the same lines.
#[derive(Clone)]
pub struct Lines {
    inner: Arc<Inner>,
}

struct Inner {
    kept: Mutex<Kept>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Kept {
    lines: Vec<Line>,
    raw: Vec<u8>,
    copy: Option<File>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { inner: Arc::new(Inner { kept: Mutex::default(), count: watch::Sender::new(0) }) }
    }
}

impl Lines {
    /// Lines that are written to a file as well.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn copied_to(path: &Path) -> Result<Self> {
        let lines = Self::default();
        let file = File::options().create(true).append(true).open(path);
        lines.kept().copy = Some(file.with_context(|| format!("open {}", path.display()))?);
        Ok(lines)
    }

    /// All lines so far.
    #[must_use]
    pub fn all(&self) -> Vec<Line> {
        self.kept().lines.clone()
    }

    /// All lines from the one numbered `first` (from 0) on.
    #[must_use]
    pub fn from(&self, first: usize) -> Vec<Line> {
        self.kept().lines.get(first..).unwrap_or_default().to_vec()
    }

    /// How many lines there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.kept().lines.len()
    }

    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.kept().raw.clone()
    }

    /// The last lines as one text, for a message.
    #[must_use]
    pub fn tail(&self, lines: usize) -> String {
        let kept = self.kept();
        let first = kept.lines.len().saturating_sub(lines);
        kept.lines[first..].iter().map(|line| format!("  {}\n", line.text)).collect()
    }

    /// Waits for the first line, past or to come, of which `find` makes something.
    ///
    /// # Errors
    /// When there is none within `bound`; the error ends with the last lines.
    pub async fn wait_for<T>(
        &self,
        bound: Duration,
        what: &str,
        find: impl Fn(&Line) -> Option<T>,
    ) -> Result<T> {
        let mut count = self.inner.count.subscribe();
        let search = async {
            let mut seen = 0;
            loop {
                let fresh = self.from(seen);
                if let Some(found) = fresh.iter().find_map(&find) {
                    return found;
                }
                seen += fresh.len();
                // The sender lives as long as `self`, so this ends with a line or with the bound.
                let _more = count.wait_for(|count| *count > seen).await;
            }
        };
        match tokio::time::timeout(bound, search).await {
            Ok(found) => Ok(found),
            Err(_) => bail!("waited {bound:?} for a line: {what}; the last lines are\n{}", self.tail(20)),
        }
    }

    /// Takes in a piece of output: whole lines are kept, the rest waits in `open` for its end.
    pub(super) fn take_in(&self, open: &mut Vec<u8>, piece: &[u8], seen: &impl Fn(&Line)) {
        open.extend_from_slice(piece);
        while let Some(end) = open.iter().position(|byte| *byte == b'\n') {
            let rest = open.split_off(end + 1);
            self.line(&std::mem::replace(open, rest), seen);
        }
    }

    /// Keeps what has no end of a line as the last line.
    pub(super) fn close(&self, open: &[u8], seen: &impl Fn(&Line)) {
        if !open.is_empty() {
            self.line(open, seen);
        }
    }

    fn line(&self, bytes: &[u8], seen: &impl Fn(&Line)) {
        let text = String::from_utf8_lossy(bytes);
        let line = Line { read_at: ambient::now(), text: text.trim_end_matches(['\n', '\r']).into() };
        // The hook goes first: it may want to act before anything else happens.
        seen(&line);
        self.keep(line, bytes);
    }

    fn keep(&self, line: Line, bytes: &[u8]) {
        let mut kept = self.kept();
        kept.lines.push(line);
        kept.raw.extend_from_slice(bytes);
        if let Some(file) = &mut kept.copy {
            // The copy is for a reader after the fact; the lines in memory are what counts.
            let _lost = file.write_all(bytes);
        }
        let count = kept.lines.len();
        drop(kept);
        self.inner.count.send_replace(count);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

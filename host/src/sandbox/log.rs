//! The log of one attempt, within its bounds: the beginning is kept, the end is kept in a ring, what lies between is
//! dropped and counted. Lines come from the log functions, from stdout and stderr, and from the host.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{LogBounds, Ports};
use crate::clock::{Boot, Clock};
use crate::job::{Json, LogLevel, LogRecord, cut, visible};

/// Lines of the ring that are told at once in one second; the others are told at the end, if they are still kept.
const TOLD_A_SECOND: u32 = 100;
/// The end of stderr that explains a trap.
const LAST_WORDS: usize = 8 << 10;

/// The log of one attempt, as all who write to it share it.
#[derive(Clone)]
pub(super) struct SharedLog(Arc<Mutex<AttemptLog>>);

/// Where a line of plain text came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdout,
    Stderr,
}

/// What is left when the attempt has ended.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) lines: Vec<LogRecord>,
    pub(super) bytes: u64,
    pub(super) dropped: u64,
}

struct AttemptLog {
    bounds: LogBounds,
    clock: Clock,
    ports: Arc<dyn Ports>,
    next: u32,
    head: Vec<LogRecord>,
    head_bytes: usize,
    head_full: bool,
    ring: VecDeque<Ringed>,
    ring_bytes: usize,
    dropped: u64,
    pace: Pace,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    last_words: VecDeque<String>,
    last_words_bytes: usize,
}

struct Ringed {
    line: LogRecord,
    told: bool,
}

impl SharedLog {
    pub(super) fn new(bounds: LogBounds, clock: Clock, ports: Arc<dyn Ports>) -> Self {
        let pace = Pace { since: clock.boot(), told: 0 };
        Self(Arc::new(Mutex::new(AttemptLog {
            bounds,
            clock,
            ports,
            next: 0,
            head: Vec::new(),
            head_bytes: 0,
            head_full: false,
            ring: VecDeque::new(),
            ring_bytes: 0,
            dropped: 0,
            pace,
            stdout: Vec::new(),
            stderr: Vec::new(),
            last_words: VecDeque::new(),
            last_words_bytes: 0,
        })))
    }

    /// Takes a line of the log functions. Message and fields share the bound of a line.
    pub(super) fn record(&self, level: LogLevel, message: &str, fields: &[(String, String)]) {
        let mut log = self.lock();
        let most = log.bounds.line_bytes;
        let message = harmless(message, most);
        let fields = fields_of(fields, most - message.len());
        log.push(level, message, fields);
    }

    /// Takes bytes of stdout or stderr.
    pub(super) fn write(&self, source: Source, bytes: &[u8]) {
        self.lock().write(source, bytes);
    }

    /// The end of what stands on stderr.
    pub(super) fn last_words(&self) -> String {
        let mut log = self.lock();
        log.end_line(Source::Stderr);
        log.last_words.make_contiguous().join("\n")
    }

    /// Ends the log: what had no line end is a line, and what was not yet told is told.
    pub(super) fn finish(&self) -> Kept {
        let mut log = self.lock();
        log.end_line(Source::Stdout);
        log.end_line(Source::Stderr);
        let untold: Vec<_> = log.ring.iter().filter(|ringed| !ringed.told).map(|r| r.line.clone()).collect();
        untold.iter().for_each(|line| log.ports.log(line));
        let mut lines = std::mem::take(&mut log.head);
        lines.extend(std::mem::take(&mut log.ring).into_iter().map(|ringed| ringed.line));
        let bytes = u64::try_from(log.head_bytes + log.ring_bytes).unwrap_or(u64::MAX);
        Kept { lines, bytes, dropped: log.dropped }
    }

    fn lock(&self) -> MutexGuard<'_, AttemptLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AttemptLog {
    fn write(&mut self, source: Source, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(source, &bytes[..end]);
            self.end_line(source);
            bytes = &bytes[end + 1..];
        }
        self.extend(source, bytes);
    }

    /// Adds to the line that is not yet ended; one that reaches its bound ends there, on a character.
    fn extend(&mut self, source: Source, mut bytes: &[u8]) {
        let most = self.bounds.line_bytes.max(4);
        loop {
            let pending = self.pending(source);
            let (now, later) = bytes.split_at(bytes.len().min(most - pending.len()));
            pending.extend_from_slice(now);
            if later.is_empty() {
                return;
            }
            let rest = pending.split_off(whole_characters(pending));
            self.end_line(source);
            *self.pending(source) = rest;
            bytes = later;
        }
    }

    fn end_line(&mut self, source: Source) {
        let line = std::mem::take(self.pending(source));
        if line.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = harmless(text.trim_end_matches('\r'), self.bounds.line_bytes);
        match source {
            Source::Stdout => self.push(LogLevel::Info, text, None),
            Source::Stderr => {
                self.remember(&text);
                self.push(LogLevel::Warn, text, None);
            }
        }
    }

    fn pending(&mut self, source: Source) -> &mut Vec<u8> {
        match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        }
    }

    fn remember(&mut self, line: &str) {
        self.last_words.push_back(line.to_owned());
        // With its line end: empty lines take room too.
        self.last_words_bytes += line.len() + 1;
        while self.last_words_bytes > LAST_WORDS {
            let Some(gone) = self.last_words.pop_front() else { break };
            self.last_words_bytes -= gone.len() + 1;
        }
    }

    fn push(&mut self, level: LogLevel, message: String, fields: Option<Json>) {
        let line = LogRecord { seq: self.next, at: self.clock.now(), level, message, fields };
        self.next = self.next.saturating_add(1);
        let bytes = size(&line);
        let fits =
            self.head.len() < self.bounds.lines / 2 && self.head_bytes + bytes <= self.bounds.bytes / 2;
        if fits && !self.head_full {
            self.head_bytes += bytes;
            self.ports.log(&line);
            self.head.push(line);
            return;
        }
        // From here on all goes to the ring, or short lines would come before long ones that are older.
        self.head_full = true;
        let told = self.pace.allows(self.clock.boot());
        if told {
            self.ports.log(&line);
        }
        self.ring_bytes += bytes;
        self.ring.push_back(Ringed { line, told });
        while self.ring.len() > self.bounds.lines / 2 || self.ring_bytes > self.bounds.bytes / 2 {
            let Some(gone) = self.ring.pop_front() else { break };
            self.ring_bytes -= size(&gone.line);
            self.dropped += 1;
        }
    }
}

/// How fast lines of the ring are told.
struct Pace {
    since: Boot,
    told: u32,
}

impl Pace {
    fn allows(&mut self, now: Boot) -> bool {
        if now.since(self.since) >= Duration::from_secs(1) {
            *self = Self { since: now, told: 0 };
        }
        self.told += 1;
        self.told <= TOLD_A_SECOND
    }
}

fn size(line: &LogRecord) -> usize {
    line.message.len() + line.fields.as_ref().map_or(0, |fields| fields.as_str().len())
}

/// Bounded and harmless to print. What is shown is longer than what was given: cut before, to bound the work, and
/// after, to bound the result.
pub(super) fn harmless(text: &str, most: usize) -> String {
    cut(&visible(cut(text, most)), most).to_owned()
}

/// The length of the bytes without a character at their end that has only begun.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// As many of the fields as fit, the first of each name.
fn fields_of(fields: &[(String, String)], most: usize) -> Option<Json> {
    // A quote or a backslash is written as two bytes, and each field has quotes, a colon and a comma.
    const AROUND: usize = 6;
    let mut object = serde_json::Map::new();
    let mut left = most.saturating_sub(2) / 2;
    for (name, value) in fields {
        let Some(room) = left.checked_sub(AROUND) else { break };
        let name = harmless(name, room.min(256));
        let value = harmless(value, room - name.len());
        left = room - name.len() - value.len();
        object.entry(name).or_insert_with(|| value.into());
    }
    if object.is_empty() {
        return None;
    }
    Json::from_value(&object, most).ok()
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;

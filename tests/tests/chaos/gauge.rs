//! How many guests a process runs, counted from its log as it is read; and a trap that kills it at a word.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flyball_tests::process::{Handle, Line};
use rustix::process::Signal;

/// The gauge of one process.
#[derive(Default)]
pub(crate) struct Gauge {
    started: AtomicUsize,
    ended: AtomicUsize,
    trap: Mutex<Option<&'static str>>,
}

impl Gauge {
    /// What hears the log for it.
    pub(crate) fn hook(self: &Arc<Self>) -> impl Fn(&Line, &Handle) + Send + 'static {
        let gauge = Arc::clone(self);
        move |line, process| gauge.hear(&line.text, process)
    }

    /// Guests that have started and not ended; after the end of the process, those that it took with it.
    pub(crate) fn in_flight(&self) -> usize {
        // The ends first: a guest that ends in between is counted, and none is counted that never started.
        let ended = self.ended.load(Ordering::Relaxed);
        self.started.load(Ordering::Relaxed).saturating_sub(ended)
    }

    /// Whether any guest has started.
    pub(crate) fn has_run(&self) -> bool {
        self.started.load(Ordering::Relaxed) > 0
    }

    /// The next line with these words is the last that the process lives to see.
    pub(crate) fn set_trap(&self, words: &'static str) {
        *self.trap.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    fn hear(&self, text: &str, process: &Handle) {
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        if trap.take_if(|words| text.contains(*words)).is_some() {
            // One that has just ended by itself is found out by whoever waits for it.
            let _gone = process.signal(Signal::KILL);
        }
        drop(trap);
        if text.contains("\"guest started\"") {
            self.started.fetch_add(1, Ordering::Relaxed);
        } else if text.contains("\"guest ended\"") {
            self.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

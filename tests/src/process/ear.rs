//! Listens to one output of a process until it ends.
//!
//! It ends with the process and not with the pipe: what the process had started may hold the pipe open for ever.

use std::io;
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use tokio::net::unix::pipe::Receiver;
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::lines::{Line, Lines};

/// Listens on a thread of its own, until the pipe is closed, or the process has ended and the pipe is empty.
pub(super) fn listen(
    pipe: OwnedFd,
    lines: Lines,
    mut ended: watch::Receiver<bool>,
    seen: impl Fn(&Line) + Send + 'static,
) -> Result<JoinHandle<()>> {
    let runtime = Builder::new_current_thread().enable_io().build().context("a runtime to hear a process")?;
    let hear = async move {
        let mut open = Vec::new();
        if let Ok(pipe) = Receiver::from_owned_fd(pipe) {
            while until_quiet(&pipe, &lines, &mut open, &seen) == Pipe::Open && !*ended.borrow_and_update() {
                tokio::select! {
                    // An error comes up again at the next read.
                    _ = pipe.readable() => {}
                    // Then the last words are in the pipe.
                    _ = ended.changed() => {}
                }
            }
            last_words(&pipe, &lines, &mut open, &seen);
        }
        lines.close(&open, &seen);
    };
    std::thread::Builder::new().spawn(move || runtime.block_on(hear)).context("a thread to hear a process")
}

/// Reads what was written before the end was known: all of it is in the pipe now. Asks the system itself, for the
/// runtime answers "nothing" without asking as long as it has not been told of something.
fn last_words(pipe: &Receiver, lines: &Lines, open: &mut Vec<u8>, seen: &impl Fn(&Line)) {
    let mut piece = [0; 16 * 1024];
    loop {
        match rustix::io::read(pipe, &mut piece) {
            Ok(0) | Err(rustix::io::Errno::AGAIN) => return,
            Ok(length) => lines.take_in(open, &piece[..length], seen),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Pipe {
    Open,
    Closed,
}

/// Reads what is there, without waiting.
fn until_quiet(pipe: &Receiver, lines: &Lines, open: &mut Vec<u8>, seen: &impl Fn(&Line)) -> Pipe {
    let mut piece = [0; 16 * 1024];
    loop {
        match pipe.try_read(&mut piece) {
            Ok(0) => return Pipe::Closed,
            Ok(length) => lines.take_in(open, &piece[..length], seen),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Pipe::Open,
            Err(_) => return Pipe::Closed,
        }
    }
}

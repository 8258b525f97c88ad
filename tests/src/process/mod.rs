//! A real process under the harness's hand: started, heard, signalled, waited for, and never left behind.
//!
//! Its two outputs are captured line by line. It dies with its [`Process`], and with the test process even when that
//! one is killed: the kernel is asked to (`setpriv --pdeathsig`, where there is one). It does not know what it runs.

mod ear;
mod lines;
mod nursery;

use std::ffi::OsStr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;

pub use lines::{Hook, Line, Lines};

use crate::ambient::{self, Moment};

/// How a process ended, and when the harness had waited for it: at that moment it surely ran no more.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// What the system says of it.
    pub status: ExitStatus,
    /// When the wait for it returned.
    pub at: Moment,
}

/// Sends signals to a process as long as it has not been waited for: never to a stranger that got its number.
#[derive(Clone)]
pub struct Handle {
    pid: Pid,
    exit: Arc<Mutex<Option<Exit>>>,
}

impl Handle {
    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal; to a process that has ended it is nothing.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let exit = self.locked();
        if exit.is_some() {
            return Ok(());
        }
        // An unreaped process keeps its number, and only `reap` takes it away, under the same lock.
        match rustix::process::kill_process(self.pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("send {signal:?} to process {}", self.pid())),
        }
    }

    /// How it ended; nothing while it runs.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        *self.locked()
    }

    fn locked(&self) -> MutexGuard<'_, Option<Exit>> {
        self.exit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins a command for [`Process::spawn`]: it will not survive the test process.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    nursery::leashed(program.as_ref())
}

/// Tells a test that it runs as the victim of itself.
const VICTIM: &str = "FLYBALL_TESTS_VICTIM";

/// Begins a command that runs one test of this program, by its whole name, as its own victim: a test process that may
/// be killed.
///
/// # Errors
/// When this program cannot be found.
pub fn victim(test: &str) -> Result<Command> {
    let mut command = command(std::env::current_exe().context("find the test program")?);
    command.args(["--exact", "--nocapture", test]).env(VICTIM, "1");
    Ok(command)
}

/// Is this the test process that [`victim`] began?
#[must_use]
pub fn is_victim() -> bool {
    ambient::switched_on(VICTIM)
}

/// A running process, killed when dropped.
pub struct Process {
    handle: Handle,
    ended: watch::Receiver<bool>,
    ears: Vec<JoinHandle<()>>,
    stdout: Lines,
    stderr: Lines,
}

impl Process {
    /// Starts what [`command`] began, with both outputs captured; a hook sees every line of standard error as it is
    /// read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(mut command: Command, stdout: Lines, stderr: Lines, hook: Option<Hook>) -> Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let what = format!("{command:?}");
        let mut child = nursery::spawn(command).with_context(|| format!("start {what}"))?;
        let pid =
            i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("a process without a number")?;
        let handle = Handle { pid, exit: Arc::default() };
        let (tell, ended) = watch::channel(false);
        let (out, err) = child.stdout.take().zip(child.stderr.take()).context("a process without outputs")?;
        let reaped = handle.clone();
        std::thread::spawn(move || {
            reap(&reaped, child);
            // Nobody listens any more when the process was dropped.
            let _unheard = tell.send(true);
        });
        let of = handle.clone();
        let heard = move |line: &Line| {
            if let Some(hook) = &hook {
                hook(line, &of);
            }
        };
        let ears = vec![
            ear::listen(out.into(), stdout.clone(), ended.clone(), |_| {})?,
            ear::listen(err.into(), stderr.clone(), ended.clone(), heard)?,
        ];
        Ok(Self { handle, ended, ears, stdout, stderr })
    }

    /// The means to signal it, which may be given away.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What it has said on standard output.
    #[must_use]
    pub fn stdout(&self) -> &Lines {
        &self.stdout
    }

    /// What it has said on standard error.
    #[must_use]
    pub fn stderr(&self) -> &Lines {
        &self.stderr
    }

    /// Waits until it has ended and all that it said has been read.
    ///
    /// # Errors
    /// When it is still there after `bound`.
    pub async fn wait(&mut self, bound: Duration) -> Result<Exit> {
        let pid = self.handle.pid();
        let waited = tokio::time::timeout(bound, self.ended.wait_for(|ended| *ended)).await;
        if waited.is_err() {
            bail!("process {pid} is still there after {bound:?}");
        }
        let exit = self.handle.exit().with_context(|| format!("process {pid} was lost"))?;
        let drained = crate::eventually(bound, "its outputs to be read to the end", async || {
            self.ears.iter().all(JoinHandle::is_finished)
        });
        drained.await.with_context(|| format!("after the end of process {pid}"))?;
        Ok(exit)
    }

    /// SIGKILL, and the wait.
    ///
    /// # Errors
    /// When it survives that.
    pub async fn kill(&mut self) -> Result<Exit> {
        self.handle.signal(Signal::KILL)?;
        self.wait(crate::GENEROUS).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A stopped process dies of SIGKILL too. Whether it had ended already does not matter here.
        let _gone = self.handle.signal(Signal::KILL);
    }
}

/// Waits for the end without taking the number away, then takes it away under the lock that signals hold.
fn reap(handle: &Handle, mut child: std::process::Child) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = rustix::process::waitid(WaitId::Pid(handle.pid), options) {}
    let mut exit = handle.locked();
    if let Ok(status) = child.wait() {
        *exit = Some(Exit { status, at: ambient::now() });
    }
}

#[cfg(test)]
mod tests;

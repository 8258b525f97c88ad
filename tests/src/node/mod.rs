//! A node: a real `flyball serve`, heard on its debug log and hurt by signals.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use crate::home::Home;
use crate::http::{self, Answer};
use crate::process::{Exit, Handle, Hook, Line, Lines, Process};
use crate::witness::Witness;
use crate::{GENEROUS, eventually};

/// How a node is told to write the log that the witness and the harness read.
const LOGGING: [(&str, &str); 2] = [("FLYBALL_LOG", "info,flyball=debug"), ("FLYBALL_LOG_FORMAT", "json")];

/// A node to be started.
pub struct Plan {
    home: Home,
    arguments: Vec<String>,
    environment: Vec<(String, OsString)>,
    log: Option<PathBuf>,
    hook: Option<Hook>,
}

impl Plan {
    /// A node at this home with the default settings, listening on a free loopback port.
    #[must_use]
    pub fn new(home: &Home) -> Self {
        Self { home: home.clone(), arguments: Vec::new(), environment: Vec::new(), log: None, hook: None }
    }

    /// Further arguments of `serve`.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// A further variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Adds the log to this file as well.
    #[must_use]
    pub fn logging_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.log = Some(file.into());
        self
    }

    /// Shows every line of the log to `hook` in the moment it is read.
    #[must_use]
    pub fn hearing(mut self, hook: impl Fn(&Line, &Handle) + Send + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Starts the process and waits for nothing.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(self) -> Result<Node> {
        let mut command = self.home.command(&["serve", "--listen", "127.0.0.1:0"])?;
        command.args(&self.arguments).envs(LOGGING).envs(self.environment);
        let log = self.log.as_deref().map_or_else(|| Ok(Lines::default()), Lines::copied_to)?;
        Node::born(command, log, self.hook)
    }

    /// Starts the process and waits until `/readyz` says yes.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not become ready.
    pub async fn serve(self) -> Result<Node> {
        let mut node = self.start()?;
        node.ready(GENEROUS).await?;
        Ok(node)
    }
}

/// A running node, killed when dropped.
pub struct Node {
    process: Process,
    address: Option<SocketAddr>,
}

impl Node {
    /// A node with the default settings and these further arguments, ready.
    ///
    /// # Errors
    /// When it cannot be started, ends, or does not become ready.
    pub async fn serve(home: &Home, arguments: &[&str]) -> Result<Self> {
        Plan::new(home).with(arguments).serve().await
    }

    fn born(command: Command, log: Lines, hook: Option<Hook>) -> Result<Self> {
        let process = Process::spawn(command, Lines::default(), log, hook)?;
        Ok(Self { process, address: None })
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// When it has not within `bound`, or the process has ended; the error ends with the log.
    pub async fn ready(&mut self, bound: Duration) -> Result<()> {
        let address = self.listening(bound).await?;
        let handle = self.process.handle().clone();
        let ready = eventually(bound, "the node to be ready", async || match handle.exit() {
            Some(exit) => Ok(Some(Err(exit))),
            None => {
                http::get(address, "/readyz").await.map(|answer| (answer.status == 200).then_some(Ok(())))
            }
        });
        match ready.await.with_context(|| self.last_words())? {
            Ok(()) => Ok(()),
            Err(_) => self.ended_before("it was ready").await,
        }
    }

    /// Waits until it has said where it listens.
    ///
    /// # Errors
    /// When it has not within `bound`.
    pub async fn listening(&mut self, bound: Duration) -> Result<SocketAddr> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let (log, handle) = (self.log().clone(), self.process.handle().clone());
        let mut seen = 0;
        let said = eventually(bound, "the node to say where it listens", async || {
            let ended = handle.exit();
            let fresh = log.from(seen);
            seen += fresh.len();
            let address = fresh.iter().find_map(address_in).map(Ok);
            address.or_else(|| ended.map(Err))
        });
        match said.await.with_context(|| self.last_words())? {
            Ok(address) => Ok(*self.address.insert(address)),
            Err(_) => self.ended_before("it listened").await,
        }
    }

    /// `GET path` from it.
    ///
    /// # Errors
    /// When it has not said where it listens, or does not answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        http::get(self.address.context("the node has not said where it listens")?, path).await
    }

    /// The debug log so far.
    #[must_use]
    pub fn log(&self) -> &Lines {
        self.process.stderr()
    }

    /// The number of the process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.handle().pid()
    }

    /// The means to signal it, which may be given away.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.process.handle()
    }

    /// SIGKILL, and the wait.
    ///
    /// # Errors
    /// When it survives that.
    pub async fn kill(&mut self) -> Result<Exit> {
        self.process.kill().await
    }

    /// SIGTERM: the drain begins.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn terminate(&self) -> Result<()> {
        self.handle().signal(Signal::TERM)
    }

    /// SIGSTOP: it stands still with all that it holds.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn freeze(&self) -> Result<()> {
        self.handle().signal(Signal::STOP)
    }

    /// SIGCONT: it goes on where it stood.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn thaw(&self) -> Result<()> {
        self.handle().signal(Signal::CONT)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it is still there after `bound`.
    pub async fn wait(&mut self, bound: Duration) -> Result<Exit> {
        self.process.wait(bound).await.with_context(|| self.last_words())
    }

    /// SIGTERM, and the wait.
    ///
    /// # Errors
    /// When it is still there after a generous bound.
    pub async fn drain(&mut self) -> Result<Exit> {
        self.terminate()?;
        self.wait(GENEROUS).await
    }

    /// Lets the witness hear the log of this process, best after its end.
    pub fn testify(&self, witness: &mut Witness) {
        witness.hear(self.pid(), &self.log().all(), self.handle().exit().map(|exit| exit.at));
    }

    async fn ended_before<T>(&mut self, what: &str) -> Result<T> {
        let exit = self.wait(GENEROUS).await?;
        bail!("the node ended with {} before {what}; {}", exit.status, self.last_words())
    }

    fn last_words(&self) -> String {
        format!("the log of process {} ends with\n{}", self.pid(), self.log().tail(30))
    }
}

/// The address in a line that says `listening`: of the API, not of the metrics.
fn address_in(line: &Line) -> Option<SocketAddr> {
    let text = line.text.to_lowercase();
    if !text.contains("listening") || text.contains("metrics") {
        return None;
    }
    let at = text.find("127.0.0.1:")?;
    let end = text[at..].find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'));
    text[at..end.map_or(text.len(), |end| at + end)].parse().ok()
}

#[cfg(test)]
mod tests;

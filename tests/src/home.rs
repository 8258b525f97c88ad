//! A folder in which `flyball` is at home for one test: its settings, its plugins, its database.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use crate::process::{Lines, Process};
use crate::{binary, house};

/// No single call of the command line takes longer, `demo` and `--wait` included.
const LONGEST_CALL: Duration = Duration::from_secs(300);

/// A temporary folder with `plugins/`, and the URL of the database that every call there uses. A clone is another door
/// to the same folder.
#[derive(Clone)]
pub struct Home {
    folder: Arc<TempDir>,
    database: String,
}

/// What a call of the command line came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was called, for messages.
    pub call: String,
    /// The exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, to the byte.
    pub stdout: String,
    /// Standard error, to the byte.
    pub stderr: String,
}

impl Home {
    /// With a SQLite file in the folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn sqlite() -> Result<Self> {
        let mut home = Self::on("")?;
        home.database = format!("sqlite:{}", home.folder().join("flyball.db").display());
        Ok(home)
    }

    /// With the database at this URL.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn on(database: impl fmt::Display) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("flyball-home-").tempdir().context("make a folder")?;
        fs::create_dir(folder.path().join("plugins"))?;
        Ok(Self { folder: Arc::new(folder), database: database.to_string() })
    }

    /// The same folder, its database reached by another URL: through a proxy, for example.
    #[must_use]
    pub fn by(&self, database: impl fmt::Display) -> Self {
        Self { folder: Arc::clone(&self.folder), database: database.to_string() }
    }

    /// The folder, in which every call runs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the plugins.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.folder().join("plugins")
    }

    /// The URL of the database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Writes `flyball.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, settings: &str) -> Result<()> {
        fs::write(self.folder().join("flyball.toml"), settings).context("write flyball.toml")
    }

    /// Begins a call of the program in this folder, on this database.
    ///
    /// # Errors
    /// When the program does not compile.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = binary::command()?;
        command.args(arguments).current_dir(self.folder()).env("DATABASE_URL", &self.database);
        // A panic should show where; a build that the program starts should find the sources.
        command.env("RUST_BACKTRACE", "1").env("NO_COLOR", "1");
        Ok(command)
    }

    /// Runs an example of the host in this folder, and waits for its end.
    ///
    /// # Errors
    /// When it does not compile, or takes too long.
    pub async fn example(&self, name: &str, arguments: &[&str]) -> Result<Ran> {
        let mut command = crate::process::command(binary::example(name)?);
        command.args(arguments).current_dir(self.folder());
        run(command, format!("{name} {}", arguments.join(" "))).await
    }

    /// Calls the program and waits for its end, however it ends.
    ///
    /// # Errors
    /// When it cannot be started, or takes too long.
    pub async fn run(&self, arguments: &[&str]) -> Result<Ran> {
        run(self.command(arguments)?, format!("flyball {}", arguments.join(" "))).await
    }

    /// Calls the program, which must succeed, and gives its standard output.
    ///
    /// # Errors
    /// When it fails in any way.
    pub async fn call(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments).await?.succeeded()
    }

    /// Calls the program, which must succeed and answer in JSON.
    ///
    /// # Errors
    /// When it fails in any way, or its answer is not of this shape.
    pub async fn ask<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T> {
        self.run(arguments).await?.json()
    }
}

impl Ran {
    /// Its standard output, if it exited with 0.
    ///
    /// # Errors
    /// When it did not; the error shows all that it said.
    pub fn succeeded(self) -> Result<String> {
        if self.code == Some(0) {
            return Ok(self.stdout);
        }
        let Self { call, code, stdout, stderr } = self;
        bail!("`{call}` ended with {code:?}\n--- standard output\n{stdout}\n--- standard error\n{stderr}")
    }

    /// Its standard output read as JSON, if it exited with 0.
    ///
    /// # Errors
    /// When it did not, or the output is not of this shape.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        let call = self.call.clone();
        let text = self.succeeded()?;
        serde_json::from_str(&text).with_context(|| format!("the answer of `{call}` as JSON: {text}"))
    }
}

async fn run(command: Command, call: String) -> Result<Ran> {
    let mut process = Process::spawn(command, Lines::default(), Lines::default(), None)?;
    let exit = process.wait(LONGEST_CALL).await.with_context(|| {
        let said = process.stderr().tail(20);
        format!("`{call}` has not ended; at last it said\n{said}")
    })?;
    let text = |lines: &Lines| String::from_utf8_lossy(&lines.bytes()).into_owned();
    Ok(Ran { call, code: exit.status.code(), stdout: text(process.stdout()), stderr: text(process.stderr()) })
}

/// A file of the repository, to be given to a call.
#[must_use]
pub fn file_of_repository(path: &str) -> PathBuf {
    house::root().join(path)
}

//! A PostgreSQL cluster in a temporary folder, which lives no longer than the test process.
//!
//! It belongs to a keeper, a small shell script that starts and stops the server at our word and takes everything away
//! when its standard input ends: at [`Cluster`]'s drop, at the end of the test process, at its SIGKILL.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::install::{self, Install};
use super::{Database, Url};
use crate::{GENEROUS, eventually};

/// What a cluster does to keep its data through a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: it is quick, and for tests that never kill the server.
    Fast,
    /// Everything, as in production: for tests that do.
    Full,
}

const STARTS: usize = 20;

/// A server that is up answers within this.
const ANSWER: Duration = Duration::from_secs(5);

/// A running PostgreSQL server of our own.
pub struct Cluster {
    keeper: Mutex<Option<Keeper>>,
    folder: PathBuf,
    address: SocketAddr,
}

struct Keeper {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Cluster {
    pub(super) async fn start(install: &Install, durability: Durability, place: &Path) -> Result<Self> {
        let folder = private_folder(place)?;
        let keeper = Keeper::start(&install.programs, folder.path())?;
        // From here on the folder is the keeper's to remove.
        let keeper = Mutex::new(Some(keeper));
        let mut cluster = Self { keeper, folder: folder.keep(), address: free_address()? };
        let made = cluster.order("init")?;
        ensure!(made == "made", "initdb failed:\n{}", cluster.log());
        for _ in 0..STARTS {
            cluster.configure(durability)?;
            if cluster.launch().await? {
                return Ok(cluster);
            }
            // Most likely somebody took the port between our look and the server's.
            cluster.address = free_address()?;
        }
        bail!("PostgreSQL ended {STARTS} times right after its start:\n{}", cluster.log())
    }

    /// Where the server listens on TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder of the server's Unix socket.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.folder
    }

    /// Its files: settings, keys, data.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The server's administrative database.
    #[must_use]
    pub fn url(&self) -> Url {
        Url::local("flyball", self.address)
    }

    /// A fresh, empty database.
    ///
    /// # Errors
    /// When the server is down or refuses.
    pub async fn database(&self) -> Result<Database> {
        Database::create(&self.url()).await
    }

    /// SIGKILL to the postmaster: its backends notice and end, nothing is written in order.
    ///
    /// # Errors
    /// When the keeper is gone.
    pub fn kill_postmaster(&self) -> Result<()> {
        self.order("KILL").map(drop)
    }

    /// The immediate shutdown (`pg_ctl stop -m immediate`): no checkpoint, all connections cut.
    ///
    /// # Errors
    /// When the keeper is gone.
    pub fn stop_immediately(&self) -> Result<()> {
        self.order("QUIT").map(drop)
    }

    /// The fast shutdown of an orderly restart: sessions are ended, everything is written.
    ///
    /// # Errors
    /// When the keeper is gone.
    pub fn stop(&self) -> Result<()> {
        self.order("INT").map(drop)
    }

    /// Starts the server again at the same address, after one of the stops, and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&self) -> Result<()> {
        // Backends of a killed postmaster may hold its memory for a while.
        let up = eventually(GENEROUS, "PostgreSQL to come up again", async || self.launch().await).await;
        up.with_context(|| format!("the server's log:\n{}", self.log()))
    }

    /// Whether the server takes connections at this moment.
    pub async fn is_up(&self) -> bool {
        let Ok(options) = self.url().to_string().parse::<sqlx::postgres::PgConnectOptions>() else {
            return false;
        };
        let asked = tokio::time::timeout(ANSWER, async {
            options.socket(&self.folder).connect().await?.close().await
        });
        asked.await.is_ok_and(|answer| answer.is_ok())
    }

    /// What the server has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Starts the server; answers whether it runs and takes connections.
    async fn launch(&self) -> Result<bool> {
        let pid: u32 = self.order("start")?.parse().context("the keeper's answer is no process number")?;
        // By its socket, which is open to us whatever it asks of those who come by TCP.
        let options = self.url().to_string().parse::<sqlx::postgres::PgConnectOptions>()?;
        let options = options.socket(&self.folder);
        eventually(GENEROUS, "PostgreSQL to take connections", async || {
            if has_ended(pid) {
                return Ok(Some(false));
            }
            options.connect().await?.close().await.map(|()| Some(true))
        })
        .await
        .with_context(|| format!("the server's log:\n{}", self.log()))
    }

    fn configure(&self, durability: Durability) -> Result<()> {
        let (folder, port) = (self.folder.display(), self.address.port());
        let mut settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{folder}'\n\
             max_connections = 300\nlog_min_messages = warning\nlog_line_prefix = '%m [%p] '\n"
        );
        if durability == Durability::Fast {
            settings.push_str("fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n");
        }
        let file = self.data().join("postgresql.auto.conf");
        fs::write(&file, settings).with_context(|| format!("write {}", file.display()))
    }

    fn order(&self, word: &str) -> Result<String> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let keeper = keeper.as_mut().context("the cluster is gone")?;
        writeln!(keeper.orders, "{word}").context("the keeper of the cluster is gone")?;
        let mut answer = String::new();
        keeper.answers.read_line(&mut answer).context("the keeper of the cluster gave no answer")?;
        Ok(answer.trim().to_owned())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Keeper { mut process, orders, answers }) = keeper {
            drop((orders, answers));
            // The keeper ends when it has taken everything away; how, nobody can use any more.
            let _ended = process.wait();
        }
    }
}

impl Keeper {
    fn start(programs: &Path, folder: &Path) -> Result<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("keeper.sh"), "keeper"]).arg(programs).arg(folder);
        command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A group of its own: an interrupt typed at the tests must not reach it before its work is done.
        command.process_group(0);
        if let Some((user, group)) = install::account() {
            command.uid(user).gid(group);
        }
        let mut process = command.spawn().context("start the keeper of a PostgreSQL cluster")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, answers) = pipes.context("a keeper without pipes")?;
        Ok(Self { process, orders, answers: BufReader::new(answers) })
    }
}

/// A folder that belongs to the server's account; its path is short, for a Unix socket's may have 107 bytes.
fn private_folder(place: &Path) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("flyball-pg-").tempdir_in(place);
    let folder = folder.context("make a temporary folder")?;
    if let Some((user, group)) = install::account() {
        chown(folder.path(), Some(user), Some(group)).context("give the folder to PostgreSQL's account")?;
    }
    Ok(folder)
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("look for a free port")?;
    Ok(listener.local_addr()?)
}

/// Has the keeper's child ended, be it that nobody has waited for it yet?
fn has_ended(pid: u32) -> bool {
    if !Path::new("/proc/self/stat").exists() {
        return false;
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('Z'))
}

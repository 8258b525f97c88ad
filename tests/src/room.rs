//! A place for files that can be full: a file system of its own, whose size changes while it is used.
//!
//! A tmpfs, which root alone may mount; elsewhere there is none, and that is said aloud. It goes away with its value, and
//! with the test process even when that one is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use crate::{GENEROUS, ambient, eventually};

/// A file system in a folder of its own.
pub struct Room {
    folder: PathBuf,
    size: u64,
    keeper: Mutex<Option<Keeper>>,
}

struct Keeper {
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Room {
    /// A room of so many bytes, taken from the machine's memory only as it fills; nothing, said aloud, where none may be
    /// mounted.
    ///
    /// # Errors
    /// When it fails in another way than by being forbidden.
    pub fn open(size: u64) -> Result<Option<Self>> {
        let folder = tempfile::Builder::new().prefix("flyball-room-").tempdir().context("make a folder")?;
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("room.sh"), "keeper"]).arg(folder.path()).arg(size.to_string());
        // A group of its own: an interrupt typed at the tests must not reach it before its work is done.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("start the keeper of a room")?;
        let pipes = process.stdin.take().zip(process.stdout.take());
        let (orders, answers) = pipes.context("a keeper without pipes")?;
        let mut keeper = Keeper { process, orders, answers: BufReader::new(answers) };
        if keeper.answer()? != "mounted" {
            let _ended = keeper.process.wait();
            ambient::say_aloud(
                "LEFT OUT: a full disk. A file system of limited size can't be mounted here (root may).",
            );
            return Ok(None);
        }
        // From here on the folder is the keeper's to remove.
        Ok(Some(Self { folder: folder.keep(), size, keeper: Mutex::new(Some(keeper)) }))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes it as small as what it holds: from now on nothing in it grows.
    ///
    /// # Errors
    /// When that is refused for long.
    pub async fn fill(&self) -> Result<()> {
        eventually(GENEROUS, "the room to be full", async || {
            let used = rustix::fs::statvfs(&self.folder).context("look how full the room is")?;
            // What was written since that look is in the way of a size below it: then it is refused, and we look again.
            self.resize((used.f_blocks - used.f_bfree) * used.f_frsize)
        })
        .await
    }

    /// Gives the space back.
    ///
    /// # Errors
    /// When that is refused.
    pub fn give_back(&self) -> Result<()> {
        if self.resize(self.size)? { Ok(()) } else { bail!("the room could not be made large again") }
    }

    fn resize(&self, size: u64) -> Result<bool> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let keeper = keeper.as_mut().context("the room is gone")?;
        writeln!(keeper.orders, "{size}").context("the keeper of the room is gone")?;
        Ok(keeper.answer()? == "done")
    }
}

impl Keeper {
    fn answer(&mut self) -> Result<String> {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).context("the keeper of the room gave no answer")?;
        Ok(answer.trim().to_owned())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Keeper { mut process, orders, answers }) = keeper {
            drop((orders, answers));
            // The keeper ends when it has taken everything away; how, nobody can use any more.
            let _ended = process.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_full_takes_nothing_until_space_is_given_back() -> Result<()> {
        let Some(room) = Room::open(8 << 20)? else { return Ok(()) };
        let file = room.folder().join("file");
        std::fs::write(&file, vec![1; 1 << 20])?;
        room.fill().await?;
        let more = || std::fs::write(room.folder().join("more"), vec![1; 1 << 20]);
        assert_eq!(more().unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        room.give_back()?;
        more()?;
        let folder = room.folder().to_path_buf();
        drop(room);
        assert!(!folder.exists(), "{} is still there", folder.display());
        Ok(())
    }
}

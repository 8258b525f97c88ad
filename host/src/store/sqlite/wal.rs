//! The write-ahead log of a SQLite file, kept small. SQLite begins it anew by itself only in a moment when nobody reads;
//! where reads overlap without end there is none, and it would grow without end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connect::BUSY;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

/// From here on the log is begun anew: half of what it is to stay under.
const GROWN: u64 = 32 << 20;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trim {
    /// It is as small as it should be.
    Done,
    /// Somebody still reads what is in it.
    Later,
}

/// The log beside a file. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Wal {
    file: Arc<Path>,
    /// What begins it anew.
    statement: &'static str,
}

impl Wal {
    pub(super) fn beside(file: &Path, statement: &'static str) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push("-wal");
        Self { file: PathBuf::from(path).into(), statement }
    }

    /// How large it is; nothing while it does not exist.
    pub(super) fn bytes(&self) -> u64 {
        std::fs::metadata(&*self.file).map_or(0, |log| log.len())
    }

    /// Begins it anew if it has grown: waits a moment for those who read what is in it, while those who begin to read
    /// need no more of it.
    pub(super) async fn trim(&self, connection: &mut SqliteConnection) -> Trim {
        if self.bytes() < GROWN {
            return Trim::Done;
        }
        match self.begin_anew(connection).await {
            Ok(0) => Trim::Done,
            Ok(_busy) => {
                tracing::debug!(bytes = self.bytes(), "somebody reads what is in the write-ahead log");
                Trim::Later
            }
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be begun anew");
                Trim::Later
            }
        }
    }

    /// The writer waits meanwhile, and all others for it: so not for long.
    async fn begin_anew(&self, connection: &mut SqliteConnection) -> sqlx::Result<i64> {
        sqlx::query("PRAGMA busy_timeout = 100").execute(&mut *connection).await?;
        let answer = sqlx::query(self.statement).fetch_one(&mut *connection).await;
        let patience = format!("PRAGMA busy_timeout = {}", BUSY.as_millis());
        sqlx::query(AssertSqlSafe(patience)).execute(connection).await?;
        answer?.try_get::<i64, _>(0)
    }
}

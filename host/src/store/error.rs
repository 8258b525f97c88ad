//! What can go wrong with remembering, by what a caller does about it.

use std::time::Duration;

use super::Database;
use crate::job::{ActionId, JobId};
use crate::timing::ScheduleError;

/// Why a store verb failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The node was marked lost: stop what it runs, and register under a new id.
    #[error("this node was marked lost by another")]
    NodeLost,
    /// The infrastructure failed; whether the verb was carried out is unknown. Repeat it with the same ids.
    #[error("while {doing}: {source}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// The database's words.
        source: sqlx::Error,
    },
    /// The database did not answer in time; whether the verb was carried out is unknown. Repeat it with the same ids.
    #[error("while {doing}: no answer within {after:?}")]
    TimedOut {
        /// What was being done.
        doing: &'static str,
        /// How long it was given.
        after: Duration,
    },
    /// What was asked can't be done; repeating won't help.
    #[error("while {doing}: {source}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The database's words.
        source: sqlx::Error,
    },
    /// A job was to be the child of one that is not on record.
    #[error("there is no job {0} to be the parent; it may have been deleted by retention")]
    NoParent(JobId),
    /// What the database holds is not what this program wrote.
    #[error("{what}: {found:?} is not what was expected")]
    Unreadable {
        /// Which column.
        what: &'static str,
        /// What stands there.
        found: String,
    },
    /// The action id of an order was given to another order before.
    #[error(
        "the order {action} was another one, a {what}, or was given for other jobs; mint a new id for this one"
    )]
    OtherOrder {
        /// Its id.
        action: ActionId,
        /// What was ordered under it.
        what: String,
    },
    /// The schema can't be used by this binary.
    #[error("{0}")]
    Schema(String),
    /// The URL or file can't be used.
    #[error("{0}")]
    Address(String),
    /// Another `serve` has the SQLite file.
    #[error("{file} is already served by {holder}; a SQLite file has one serve at a time")]
    Served {
        /// The lock file.
        file: String,
        /// Name and pid of who holds it.
        holder: String,
    },
    /// A schedule can't be kept, or what is kept of it can't be read.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// Others changed the same thing again and again; nothing was done. Repeat it.
    #[error("others changed the same {what} again and again; try again")]
    Contended {
        /// What sort of thing.
        what: &'static str,
    },
    /// A `now` too far from the database's own time.
    #[error("this node's time is {apart:?} from the database's; nothing is done by a clock that far off")]
    Clock {
        /// How far.
        apart: Duration,
    },
}

impl StoreError {
    /// A caller's connection that does not lead to this database.
    pub(super) fn foreign(database: Database) -> Self {
        let (here, there) = match database {
            Database::Sqlite => ("a SQLite file", "PostgreSQL"),
            Database::Postgres => ("PostgreSQL", "a SQLite file"),
        };
        Self::Address(format!(
            "the jobs are in {here}, and the connection that was handed in leads to {there}"
        ))
    }

    /// Whether repeating the verb with the same ids may succeed.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::TimedOut { .. } | Self::Contended { .. } => true,
            Self::NodeLost
            | Self::Refused { .. }
            | Self::NoParent(_)
            | Self::Unreadable { .. }
            | Self::OtherOrder { .. }
            | Self::Schema(_)
            | Self::Address(_)
            | Self::Served { .. }
            | Self::Schedule(_)
            | Self::Clock { .. } => false,
        }
    }

    /// Whether it failed for taking too long, be it that it waited for a lock: a smaller request may be answered, or one
    /// that leaves out what somebody else holds.
    pub fn took_too_long(&self) -> bool {
        /// Of PostgreSQL: a lock was not to be had in time; a statement was ended, for its time was over.
        const LATE: [&str; 2] = ["55P03", "57014"];
        match self {
            Self::TimedOut { .. } => true,
            Self::Unavailable { source: sqlx::Error::Database(error), .. } => {
                error.code().is_some_and(|code| LATE.contains(&&*code))
            }
            Self::Unavailable { .. }
            | Self::NodeLost
            | Self::Refused { .. }
            | Self::NoParent(_)
            | Self::Unreadable { .. }
            | Self::OtherOrder { .. }
            | Self::Schema(_)
            | Self::Address(_)
            | Self::Served { .. }
            | Self::Schedule(_)
            | Self::Contended { .. }
            | Self::Clock { .. } => false,
        }
    }
}

//! Why a statement failed, before a verb has said what that means for its caller.

use std::time::Duration;

use super::StoreError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

/// A statement or a transaction that failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database, or the road to it, refused.
    Database(sqlx::Error),
    /// No answer came.
    TimedOut(Duration),
    /// The verb itself found something wrong, and gives up its transaction.
    Verb(StoreError),
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// An item of the batch may be at fault: the batch is split.
    Item,
    /// A race was lost and nothing was done: the same may succeed at once.
    Race,
    /// Disk, network, server: the same is repeated later.
    Infrastructure,
}

impl Fault {
    pub(super) fn blame(&self) -> Blame {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
                    return blame_postgres(error.code());
                }
                if error.try_downcast_ref::<SqliteError>().is_some() {
                    return blame_sqlite(sqlite_code(error.as_ref()));
                }
                Blame::Infrastructure
            }
            Self::Database(sqlx::Error::Encode(_)) => Blame::Item,
            Self::Database(_) | Self::TimedOut(_) | Self::Verb(_) => Blame::Infrastructure,
        }
    }

    /// Whether a unique index refused.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// What the caller of the verb is told.
    pub(super) fn told(self, doing: &'static str) -> StoreError {
        match (self.blame(), self) {
            (_, Self::Verb(error)) => error,
            (_, Self::TimedOut(after)) => StoreError::TimedOut { doing, after },
            (Blame::Item, Self::Database(source)) => StoreError::Refused { doing, source },
            (Blame::Race | Blame::Infrastructure, Self::Database(source)) => {
                StoreError::Unavailable { doing, source }
            }
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Verb(error)
    }
}

fn blame_postgres(code: &str) -> Blame {
    match (code, code.get(..2)) {
        // Serialization failure, deadlock.
        ("40001" | "40P01", _) => Blame::Race,
        // Data exception, integrity violation, program limit.
        (_, Some("22" | "23" | "54")) => Blame::Item,
        _ => Blame::Infrastructure,
    }
}

fn sqlite_code(error: &dyn sqlx::error::DatabaseError) -> u32 {
    error.code().and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn blame_sqlite(extended: u32) -> Blame {
    /// The primary result codes of SQLite.
    const TOOBIG: u32 = 18;
    const CONSTRAINT: u32 = 19;
    const MISMATCH: u32 = 20;
    match extended & 0xff {
        TOOBIG | CONSTRAINT | MISMATCH => Blame::Item,
        _ => Blame::Infrastructure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_blamed_for_data_constraints_and_limits_and_for_nothing_else() {
        for code in ["22021", "22P05", "22003", "23505", "23514", "54000"] {
            assert_eq!(blame_postgres(code), Blame::Item, "{code}");
        }
        for code in ["40001", "40P01"] {
            assert_eq!(blame_postgres(code), Blame::Race, "{code}");
        }
        for code in ["53100", "53300", "57P01", "25006", "55P03", "57014", "08006", "0A000", "XX000"] {
            assert_eq!(blame_postgres(code), Blame::Infrastructure, "{code}");
        }
        for code in [18, 19, 275, 2067, 1555, 3091, 20] {
            assert_eq!(blame_sqlite(code), Blame::Item, "{code}");
        }
        for code in [1, 5, 6, 8, 10, 13, 261, 517, 6410, 10250] {
            assert_eq!(blame_sqlite(code), Blame::Infrastructure, "{code}");
        }
        assert_eq!(Fault::Database(sqlx::Error::Encode("x".into())).blame(), Blame::Item);
        assert_eq!(Fault::Database(sqlx::Error::PoolTimedOut).blame(), Blame::Infrastructure);
        assert_eq!(Fault::TimedOut(Duration::ZERO).blame(), Blame::Infrastructure);
    }
}

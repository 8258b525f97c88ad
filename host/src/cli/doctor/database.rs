//! Whether the database answers, which it is, and whether this program can work with it. Nothing is changed: a file
//! that is missing stays missing, a schema stays as old as it is.

use std::str::FromStr as _;
use std::time::Duration;

use super::finding::{Finding, Health};
use super::{schema, settings};
use crate::client::Client;
use crate::clock::Clock;
use crate::config::Config;
use crate::job::Timestamp;
use crate::store::{
    Database, OpenOptions, Role, Synchronous, database_of, migrations, open, pending_migrations,
};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

/// The database has so long to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// Clocks further apart than this stop maintenance: see the promise about time.
const APART: Duration = Duration::from_secs(2);

/// Looks at the database; a client for whatever else is to be read, if there can be one.
pub(super) async fn examine(config: &Config) -> (Vec<Finding>, Option<Client>) {
    let looked = match database_of(&config.database) {
        Ok(Database::Sqlite) => tokio::time::timeout(ANSWERS_WITHIN, sqlite(config)).await,
        Ok(Database::Postgres) => tokio::time::timeout(ANSWERS_WITHIN, postgres(config)).await,
        Err(error) => return (vec![Finding::fail("database", error.to_string(), "set --database")], None),
    };
    let mut findings = match looked {
        Ok(Look::There(findings)) => findings,
        Ok(Look::Missing(findings)) => return (findings, None),
        Err(_) => {
            let seen = format!("no answer within {ANSWERS_WITHIN:?}");
            return (vec![Finding::fail("database", seen, "is it running, and does the address fit?")], None);
        }
    };
    findings.push(version(&config.database).await);
    if findings.iter().any(|finding| finding.check == "schema" && finding.health != Health::Ok) {
        return (findings, None);
    }
    findings.extend(schema::examine(&config.database).await);
    match onlooker(&config.database).await {
        Ok(client) => (findings, Some(client)),
        Err(error) => {
            let advice = "the database was reached, but can't be worked with";
            findings.push(Finding::fail("database", error.to_string(), advice));
            (findings, None)
        }
    }
}

/// A client that changes nothing, whatever it is asked.
async fn onlooker(url: &str) -> anyhow::Result<Client> {
    let clock = match database_of(url)? {
        Database::Sqlite => Clock::system(),
        Database::Postgres => Clock::anchored(),
    };
    let options = OpenOptions { role: Role::Onlooker, ..OpenOptions::new(clock.clone()) };
    let store = open(url, &options).await?;
    clock.anchor(store.time().await?, clock.boot());
    Ok(Client::over(store, "doctor"))
}

/// What a first look found.
enum Look {
    There(Vec<Finding>),
    /// There is nothing to connect to.
    Missing(Vec<Finding>),
}

/// Compares the schema's version with what this program knows.
async fn version(url: &str) -> Finding {
    let pending = pending_migrations(url).await;
    let (pending, database) = match pending.and_then(|pending| Ok((pending, database_of(url)?))) {
        Ok(known) => known,
        Err(error) => {
            return Finding::fail(
                "schema",
                error.to_string(),
                "the message says what this program can't use",
            );
        }
    };
    let known = migrations(database).last().map_or(0, |newest| newest.version);
    let Some(first) = pending.first() else {
        let program = env!("CARGO_PKG_VERSION");
        return Finding::ok("schema", format!("up to date: version {known}, which flyball {program} needs"));
    };
    let seen = format!("at version {}, and flyball needs {known}", first.version.saturating_sub(1));
    match database {
        Database::Sqlite => {
            Finding::warn("schema", seen, "the next command that uses it brings it up to date")
        }
        Database::Postgres => Finding::fail("schema", seen, "`flyball migrate` brings it up to date"),
    }
}

async fn sqlite(config: &Config) -> Look {
    let options = match SqliteConnectOptions::from_str(&config.database) {
        Ok(options) => options,
        Err(error) => return unreachable(&error),
    };
    let file = options.get_filename().display().to_string();
    if !options.get_filename().exists() {
        let seen = format!("SQLite, and there is no file {file} yet");
        return Look::Missing(vec![Finding::warn(
            "database",
            seen,
            "`flyball serve` or `flyball enqueue` makes it",
        )]);
    }
    let journal = async {
        let mut connection: SqliteConnection =
            options.read_only(true).disable_statement_logging().connect().await?;
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok(journal)
    };
    let journal: Result<String, sqlx::Error> = journal.await;
    match journal {
        Ok(journal) => Look::There(vec![
            Finding::ok("database", format!("SQLite, {file}")),
            journal_mode(&journal),
            sync(config),
        ]),
        Err(error) => unreachable(&error),
    }
}

fn journal_mode(journal: &str) -> Finding {
    let seen = format!("journal_mode = {journal}");
    if journal.eq_ignore_ascii_case("wal") {
        return Finding::ok("journal", seen);
    }
    Finding::warn(
        "journal",
        seen,
        "`flyball serve` sets it to wal; readers and the node hold each other up until then",
    )
}

/// It is set on each connection, so it is not in the file.
fn sync(config: &Config) -> Finding {
    match config.synchronous {
        Synchronous::Full => Finding::ok("synchronous", "full: what was committed survives a power loss"),
        Synchronous::Normal => Finding::warn(
            "synchronous",
            "normal: the last commits may be lost with the power",
            "remove `synchronous` from flyball.toml if that matters",
        ),
    }
}

async fn postgres(config: &Config) -> Look {
    let options = match PgConnectOptions::from_str(&config.database) {
        Ok(options) => options.disable_statement_logging(),
        Err(error) => return unreachable(&error),
    };
    let address = format!(
        "{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_else(|| options.get_username())
    );
    let asked = async {
        let mut connection: PgConnection = options.connect().await?;
        let clock = Clock::system();
        let (sent, before) = (clock.now(), clock.boot());
        let row: (String, i64) = sqlx::query_as(
            "SELECT current_setting('server_version'), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
        )
        .fetch_one(&mut connection)
        .await?;
        let halfway = sent.after(clock.boot().since(before) / 2);
        let mut other: PgConnection = options.connect().await?;
        let set = settings::examine(&mut connection, &mut other).await?;
        connection.close().await?;
        other.close().await?;
        Ok((row.0, halfway, Timestamp::from_micros(row.1), set))
    };
    let asked: Result<_, sqlx::Error> = asked.await;
    match asked {
        Ok((version, ours, theirs, set)) => {
            let there =
                [Finding::ok("database", format!("PostgreSQL {version}, {address}")), clocks(ours, theirs)];
            Look::There(there.into_iter().chain(set).collect())
        }
        Err(error) => unreachable(&error),
    }
}

/// Nodes go by the database's time, so a difference harms none of them; who reads the logs of both is confused.
fn clocks(ours: Timestamp, theirs: Timestamp) -> Finding {
    let apart = ours.since(theirs).max(theirs.since(ours));
    let seen = format!("this machine's and the database's are {apart:.1?} apart");
    if apart <= APART {
        return Finding::ok("clock", seen);
    }
    Finding::warn(
        "clock",
        seen,
        "synchronise both by NTP: due times are the database's, times in logs this machine's",
    )
}

fn unreachable(error: &sqlx::Error) -> Look {
    // The driver's words name what it tried, never the password.
    let seen = format!("does not answer: {error}");
    Look::Missing(vec![Finding::fail("database", seen, "is it running, and do address and credentials fit?")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_by_more_than_two_seconds_are_told() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for (ours, theirs, health) in [(10, 11, Health::Ok), (14, 11, Health::Warn), (11, 14, Health::Warn)] {
            assert_eq!(clocks(at(ours), at(theirs)).health, health, "{ours} {theirs}");
        }
    }

    #[test]
    fn a_journal_that_is_not_wal_is_told() {
        assert_eq!(journal_mode("wal").health, Health::Ok);
        assert_eq!(journal_mode("delete").health, Health::Warn);
    }
}

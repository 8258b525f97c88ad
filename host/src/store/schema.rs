//! The schema and its versions: migrations in order, in a table of our own, and whether this binary can use what it
//! finds.

use super::{Database, OpenOptions, Result, StoreError, database_of, postgres, sqlite};

/// A step of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Counts from 1.
    pub version: u32,
    /// What it is about.
    pub name: &'static str,
    /// The oldest binary that can work on the schema after it.
    pub min_binary: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal since $min_binary:literal from $file:literal,)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            min_binary: $min_binary,
            sql: include_str!(concat!("../../../migrations/", $folder, "/", $file, ".sql")),
        },)+]
    };
}

const SQLITE: &[Migration] = migrations! { "sqlite":
    1 "jobs" since "0.1.0" from "0001_jobs",
    2 "nodes" since "0.1.0" from "0002_nodes",
    3 "operators" since "0.1.0" from "0003_operators",
    4 "families" since "0.1.0" from "0004_families",
    5 "enqueue" since "0.1.0" from "0005_enqueue",
    6 "schedules" since "0.1.0" from "0006_schedules",
    7 "limits" since "0.1.0" from "0007_limits",
};

const POSTGRES: &[Migration] = migrations! { "postgres":
    1 "jobs" since "0.1.0" from "0001_jobs",
    2 "nodes" since "0.1.0" from "0002_nodes",
    3 "operators" since "0.1.0" from "0003_operators",
    4 "families" since "0.1.0" from "0004_families",
    5 "enqueue" since "0.1.0" from "0005_enqueue",
    6 "schedules" since "0.1.0" from "0006_schedules",
    7 "limits" since "0.1.0" from "0007_limits",
};

/// Every migration that this binary knows, in order.
pub const fn migrations(database: Database) -> &'static [Migration] {
    match database {
        Database::Sqlite => SQLITE,
        Database::Postgres => POSTGRES,
    }
}

/// The SQL of every migration, for those who apply it by other means: the table of versions is kept by it too.
pub fn migration_script(database: Database) -> String {
    let (schema, versions, table) = match database {
        Database::Sqlite => ("", sqlite::VERSIONS, "schema_versions"),
        Database::Postgres => {
            ("CREATE SCHEMA IF NOT EXISTS flyball;\n", postgres::VERSIONS, "flyball.schema_versions")
        }
    };
    let steps = migrations(database).iter().map(|Migration { version, name, min_binary, sql }| {
        let enter = enter(table, *version, name, min_binary);
        format!("\n-- Version {version}: {name}\n{sql}{enter};\n")
    });
    format!("BEGIN;\n{schema}{versions}{}\nCOMMIT;\n", steps.collect::<String>())
}

/// The statement that enters a version. Everything in it stands in this file.
pub(super) fn enter(table: &str, version: u32, name: &str, min_binary: &str) -> String {
    format!("INSERT INTO {table} (version, name, min_binary) VALUES ({version}, '{name}', '{min_binary}')")
}

/// Applies what is missing, all or nothing; answers what was applied. Safe to run from many processes at once.
///
/// # Errors
/// When the database can't be reached or refuses, or is newer than this binary can use.
pub async fn migrate(url: &str, options: &OpenOptions) -> Result<Vec<Migration>> {
    match database_of(url)? {
        Database::Sqlite => sqlite::migrate(url, options).await,
        Database::Postgres => postgres::migrate(url).await,
    }
}

/// What [`migrate`] would apply.
///
/// # Errors
/// When the database can't be reached, or is newer than this binary can use.
pub async fn pending_migrations(url: &str) -> Result<Vec<Migration>> {
    let database = database_of(url)?;
    let applied = match database {
        Database::Sqlite => sqlite::applied(url).await?,
        Database::Postgres => postgres::applied(url).await?,
    };
    missing(database, &applied)
}

/// Fails unless the schema is there and this binary can use it; says what to do.
pub(super) async fn check(url: &str) -> Result<()> {
    let pending = pending_migrations(url).await?;
    let Some(first) = pending.first() else { return Ok(()) };
    Err(StoreError::Schema(if first.version == 1 {
        "the database holds no Flyball schema yet: run `flyball migrate`".into()
    } else {
        let (has, needs) = (first.version - 1, first.version + pending.len() as u32 - 1);
        format!("the database's schema is at version {has}, this binary needs {needs}: run `flyball migrate`")
    }))
}

/// A version that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) version: u32,
    pub(super) min_binary: String,
}

/// What is missing, given what was applied.
pub(super) fn missing(database: Database, applied: &[Applied]) -> Result<Vec<Migration>> {
    let known = migrations(database);
    let unknown = applied.iter().filter(|applied| known.iter().all(|m| m.version != applied.version));
    if let Some(newer) = unknown.max_by_key(|applied| applied.version)
        && release(&newer.min_binary) > release(env!("CARGO_PKG_VERSION"))
    {
        return Err(StoreError::Schema(format!(
            "the database's schema, version {}, needs flyball {} or newer; this is {}",
            newer.version,
            newer.min_binary,
            env!("CARGO_PKG_VERSION")
        )));
    }
    let is_missing = |m: &&Migration| applied.iter().all(|applied| applied.version != m.version);
    Ok(known.iter().filter(is_missing).copied().collect())
}

/// The numbers of a release, to be compared.
fn release(version: &str) -> Vec<u64> {
    let numbers = version.split('-').next().unwrap_or_default().split('.');
    numbers.map(|number| number.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(version: u32, min_binary: &str) -> Applied {
        Applied { version, min_binary: min_binary.into() }
    }

    fn newest() -> u32 {
        migrations(Database::Sqlite).last().map_or(0, |migration| migration.version)
    }

    #[test]
    fn both_databases_have_the_same_numbers_and_names() {
        let names = |database| migrations(database).iter().map(|m| (m.version, m.name)).collect::<Vec<_>>();
        assert_eq!(names(Database::Sqlite), names(Database::Postgres));
        assert!(names(Database::Sqlite).iter().map(|(version, _)| *version).eq(1..=newest()));
    }

    #[test]
    fn a_newer_schema_is_used_if_it_allows_this_binary_and_else_says_which_it_needs() {
        let mine: Vec<_> = (1..=newest()).map(|version| applied(version, "0.1.0")).collect();
        let with = |min| [mine.clone(), vec![applied(99, min)]].concat();
        assert!(missing(Database::Sqlite, &with("0.1.0")).expect("usable").is_empty());
        let error = missing(Database::Sqlite, &with("0.10.0")).expect_err("too new").to_string();
        assert!(error.contains("version 99, needs flyball 0.10.0 or newer"), "{error}");
    }

    #[test]
    fn what_was_not_applied_is_missing() {
        let missing = missing(Database::Postgres, &[applied(1, "0.1.0")]).expect("usable");
        assert_eq!(missing.iter().map(|m| m.version).collect::<Vec<_>>(), (2..=newest()).collect::<Vec<_>>());
    }
}

//! `flyball migrate`.

use super::{Exit, Globals};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{self, Database, OpenOptions};

/// Bring the database's schema up to date, or print the SQL that does.
#[derive(Debug, clap::Args)]
pub(super) struct Migrate {
    /// Print the SQL and change nothing: for hosts that own their schema.
    #[arg(long)]
    print: bool,
}

impl Migrate {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let config = Config::load_common(globals)?;
        let url = config.database;
        if self.print {
            say_raw!("{}", store::migration_script(store::database_of(&url)?));
            return Ok(Exit::Done);
        }
        let options = OpenOptions { synchronous: config.synchronous, ..OpenOptions::new(Clock::system()) };
        let applied = store::migrate(&url, &options).await?;
        for migration in &applied {
            say!("applied {:04} {}", migration.version, migration.name);
        }
        if applied.is_empty() {
            let which = match store::database_of(&url)? {
                Database::Sqlite => "SQLite file",
                Database::Postgres => "PostgreSQL database",
            };
            say!("the {which} is up to date");
        }
        Ok(Exit::Done)
    }
}

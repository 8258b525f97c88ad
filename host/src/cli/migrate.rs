//! `flyball migrate`.

use super::{Exit, Globals};
use crate::config::Config;
use crate::store::{self, Database};

/// Bring the database's schema up to date, or print the SQL that does.
#[derive(Debug, clap::Args)]
pub struct Migrate {
    /// Print the SQL and change nothing: for hosts that own their schema.
    #[arg(long)]
    print: bool,
}

impl Migrate {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let url = Config::load_common(globals)?.database;
        if self.print {
            print!("{}", store::migrations_sql(store::database_of(&url)?));
            return Ok(Exit::Done);
        }
        let applied = store::migrate(&url).await?;
        for migration in &applied {
            println!("applied {migration}");
        }
        if applied.is_empty() {
            let which = match store::database_of(&url)? {
                Database::Sqlite => "SQLite file",
                Database::Postgres => "PostgreSQL database",
            };
            println!("the {which} is up to date");
        }
        Ok(Exit::Done)
    }
}

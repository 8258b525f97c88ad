//! The address of a PostgreSQL server or database, as a URL that can be pointed elsewhere.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context as _, Error, Result};

/// `postgres://user@host:port/database?options`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    user: String,
    host: String,
    database: String,
    options: Vec<String>,
}

impl Url {
    /// The server at this address, without TLS.
    #[must_use]
    pub fn local(user: &str, address: SocketAddr) -> Self {
        Self {
            user: user.to_owned(),
            host: address.to_string(),
            database: "postgres".to_owned(),
            options: vec!["sslmode=disable".to_owned()],
        }
    }

    /// The same server, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        Self { database: name.to_owned(), ..self.clone() }
    }

    /// The same database by way of a proxy at this address; without TLS, for the proxy must understand what it hears.
    #[must_use]
    pub fn through(&self, proxy: SocketAddr) -> Self {
        Self { host: proxy.to_string(), ..self.with_tls("disable") }
    }

    /// The same database, with this `sslmode`.
    #[must_use]
    pub fn with_tls(&self, mode: &str) -> Self {
        let mut options = self.options.clone();
        options.retain(|option| !option.starts_with("sslmode="));
        options.push(format!("sslmode={mode}"));
        Self { options, ..self.clone() }
    }

    /// The same database, whose server is trusted if the authority in this PEM file has signed for it.
    #[must_use]
    pub fn trusting(&self, authority: &Path) -> Self {
        let mut options = self.options.clone();
        options.push(format!("sslrootcert={}", authority.display()));
        Self { options, ..self.clone() }
    }

    /// Host and port, where a proxy would connect to.
    #[must_use]
    pub fn host(&self) -> String {
        let has_port = self.host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if has_port { self.host.clone() } else { format!("{}:5432", self.host) }
    }
}

impl FromStr for Url {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (_, rest) = text.split_once("://").context("a PostgreSQL URL begins with postgres://")?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, "postgres"));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let options = options.split('&').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        Ok(Self { user: user.to_owned(), host: host.to_owned(), database: database.to_owned(), options })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.user.is_empty() { "" } else { "@" };
        let mark = if self.options.is_empty() { "" } else { "?" };
        let options = self.options.join("&");
        write!(f, "postgres://{}{at}{}/{}{mark}{options}", self.user, self.host, self.database)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_pointed_at_another_database_and_at_a_proxy() {
        let url: Url =
            "postgresql://me:pw@db.example:6000/app?sslmode=require&application_name=x".parse().unwrap();
        let other = url.with_database("t1");
        assert_eq!(
            other.to_string(),
            "postgres://me:pw@db.example:6000/t1?sslmode=require&application_name=x"
        );
        let proxied = other.through("127.0.0.1:7000".parse().unwrap()).to_string();
        assert_eq!(proxied, "postgres://me:pw@127.0.0.1:7000/t1?application_name=x&sslmode=disable");
        assert_eq!(url.host(), "db.example:6000");
    }

    #[test]
    fn what_is_not_said_is_the_usual() {
        let url: Url = "postgres://db".parse().unwrap();
        assert_eq!((url.to_string().as_str(), url.host().as_str()), ("postgres://db/postgres", "db:5432"));
    }
}

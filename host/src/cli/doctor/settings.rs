//! How a PostgreSQL server is set up, as far as nodes suffer from it. It is only asked.

use sqlx::{Executor as _, PgConnection, Row as _};
use std::collections::BTreeMap;

use super::finding::Finding;

/// What a node may open at a time: for verbs, and those that renewals, deletions, guests and the listener have.
const PER_NODE: u64 = 13;
/// The oldest server that has all that the statements use.
const OLDEST: u64 = 13;
/// Transactions that are open for longer keep a vacuum from what died meanwhile.
const LONG: &str = "5 minutes";

const SETTINGS: &str = "SELECT s.name, s.setting FROM pg_catalog.pg_settings s WHERE s.name = ANY (ARRAY[
    'server_version_num', 'default_transaction_read_only', 'fsync', 'full_page_writes', 'synchronous_commit',
    'autovacuum', 'track_counts', 'autovacuum_naptime', 'idle_session_timeout', 'transaction_timeout',
    'max_connections', 'superuser_reserved_connections'])";

/// What the server says of itself.
#[derive(Debug, Default)]
struct Server {
    settings: BTreeMap<String, String>,
    standby: bool,
    clients: u64,
    nodes: u64,
    /// Transactions that are open for long: whose, and how long in seconds.
    long: Vec<(String, i64)>,
    /// Whether one connection was served by two processes of the server.
    pooled: bool,
}

/// Asks the server. The second connection shows whether somebody stands between.
pub(super) async fn examine(
    connection: &mut PgConnection,
    other: &mut PgConnection,
) -> sqlx::Result<Vec<Finding>> {
    let mut server = Server { pooled: pooled(connection, other).await?, ..Server::default() };
    connection.execute("BEGIN READ ONLY").await?;
    for row in sqlx::query(SETTINGS).fetch_all(&mut *connection).await? {
        server.settings.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let (standby, clients): (bool, i64) = sqlx::query_as(
        "SELECT pg_catalog.pg_is_in_recovery(),
            (SELECT count(*) FROM pg_catalog.pg_stat_activity a WHERE a.backend_type = 'client backend')",
    )
    .fetch_one(&mut *connection)
    .await?;
    (server.standby, server.clients) = (standby, clients.unsigned_abs());
    let long = sqlx::query(
        "SELECT a.pid || ' (' || coalesce(a.usename::text, '?') || ', ' || a.application_name || ')',
            extract(epoch FROM now() - a.xact_start)::bigint
        FROM pg_catalog.pg_stat_activity a
        WHERE a.datname = current_database() AND a.pid <> pg_catalog.pg_backend_pid()
            AND a.backend_type = 'client backend' AND a.xact_start < now() - $1::interval
        ORDER BY a.xact_start
        LIMIT 5",
    );
    for row in long.bind(LONG).fetch_all(&mut *connection).await? {
        server.long.push((row.try_get(0)?, row.try_get(1)?));
    }
    let nodes: Option<i64> = match sqlx::query_scalar("SELECT to_regclass('flyball.nodes')::oid::bigint")
        .fetch_one(&mut *connection)
        .await?
    {
        None::<i64> => None,
        Some(_) => {
            let alive =
                "SELECT count(*) FROM flyball.nodes n WHERE n.lost_at IS NULL AND n.expires_at > now()";
            Some(sqlx::query_scalar(alive).fetch_one(&mut *connection).await?)
        }
    };
    server.nodes = nodes.unwrap_or(0).unsigned_abs();
    connection.execute("ROLLBACK").await?;
    Ok(judge(&server))
}

/// A pooler that goes by transactions gives a connection another process of the server when its last one is taken.
async fn pooled(connection: &mut PgConnection, other: &mut PgConnection) -> sqlx::Result<bool> {
    const WHO: &str = "SELECT pg_catalog.pg_backend_pid()";
    let before: i32 = sqlx::query_scalar(WHO).fetch_one(&mut *connection).await?;
    other.execute("BEGIN READ ONLY").await?;
    let taken: i32 = sqlx::query_scalar(WHO).fetch_one(&mut *other).await?;
    let after: i32 = sqlx::query_scalar(WHO).fetch_one(&mut *connection).await?;
    other.execute("ROLLBACK").await?;
    Ok(before != after || before == taken)
}

impl Server {
    fn number(&self, name: &str) -> u64 {
        self.settings.get(name).and_then(|setting| setting.parse().ok()).unwrap_or(0)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.settings.get(name).is_some_and(|setting| setting == value)
    }
}

fn judge(server: &Server) -> Vec<Finding> {
    let mut findings = vec![able(server)];
    findings.extend(durable(server));
    findings.push(vacuumed(server));
    findings.extend(patient(server));
    findings.push(roomy(server));
    if server.pooled {
        findings.push(Finding::warn(
            "pooler",
            "a pooler that goes by transactions stands between: nobody is heard through it",
            "connect nodes directly, or jobs of other processes start up to a second late",
        ));
    }
    findings.extend(server.long.iter().map(|(whose, seconds)| {
        let seen = format!("a transaction of {whose} is open for {seconds} s");
        Finding::warn(
            "transactions",
            seen,
            "end it: tables grow as long as nothing that died can be vacuumed",
        )
    }));
    findings
}

fn able(server: &Server) -> Finding {
    let version = server.number("server_version_num") / 10_000;
    if version < OLDEST {
        let seen = format!("PostgreSQL {version}");
        return Finding::fail("server", seen, format!("upgrade it: {OLDEST} is the oldest that can work"));
    }
    if server.standby {
        return Finding::fail("server", "a standby, which takes no writes", "connect to the primary");
    }
    if server.is("default_transaction_read_only", "on") {
        let advice = "set default_transaction_read_only = off for this role and database";
        return Finding::fail("server", "transactions are read-only", advice);
    }
    Finding::ok("server", format!("PostgreSQL {version}, takes writes"))
}

fn durable(server: &Server) -> Option<Finding> {
    let off =
        ["fsync", "full_page_writes", "synchronous_commit"].into_iter().find(|name| server.is(name, "off"));
    off.map(|name| {
        let seen = format!("{name} = off: what was committed may be lost with the power");
        Finding::warn("durability", seen, format!("set {name} = on if that matters"))
    })
}

fn vacuumed(server: &Server) -> Finding {
    for name in ["autovacuum", "track_counts"] {
        if server.is(name, "off") {
            let seen = format!("{name} = off: tables grow without end");
            return Finding::warn("autovacuum", seen, format!("set {name} = on"));
        }
    }
    let nap = server.number("autovacuum_naptime");
    if nap > 300 {
        let seen = format!("autovacuum_naptime = {nap} s: tables grow between");
        return Finding::warn("autovacuum", seen, "its default is a minute");
    }
    Finding::ok("autovacuum", format!("on, every {nap} s"))
}

fn patient(server: &Server) -> Vec<Finding> {
    let mut findings = Vec::new();
    let idle = server.number("idle_session_timeout");
    if idle > 0 {
        let seen = format!("idle_session_timeout = {idle} ms ends the connection on which a node listens");
        findings.push(Finding::warn("timeouts", seen, "set it to 0 for the role of the nodes"));
    }
    let whole = server.number("transaction_timeout");
    if (1..30_000).contains(&whole) {
        let seen = format!("transaction_timeout = {whole} ms: deletions may take 30 s");
        findings.push(Finding::warn("timeouts", seen, "set it to 0 for the role of the nodes"));
    }
    findings
}

fn roomy(server: &Server) -> Finding {
    let most = server.number("max_connections");
    let room = most.saturating_sub(server.number("superuser_reserved_connections"));
    let (clients, nodes) = (server.clients, server.nodes);
    let seen =
        format!("{clients} of {room} connections are taken; {nodes} living nodes may open {PER_NODE} each");
    if nodes * PER_NODE > room || clients * 10 > room * 9 {
        let advice = "raise max_connections, or nodes wait for each other's connections";
        return Finding::warn("connections", seen, advice);
    }
    Finding::ok("connections", seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Health;

    fn server(change: &[(&str, &str)]) -> Server {
        let usual = [
            ("server_version_num", "170002"),
            ("autovacuum", "on"),
            ("autovacuum_naptime", "60"),
            ("max_connections", "100"),
            ("superuser_reserved_connections", "3"),
        ];
        let settings = usual.iter().chain(change).map(|(name, value)| ((*name).into(), (*value).into()));
        Server { settings: settings.collect(), clients: 10, nodes: 2, ..Server::default() }
    }

    fn worst(server: &Server) -> (Health, &'static str) {
        let findings = judge(server);
        findings.iter().map(|finding| (finding.health, finding.check)).max().expect("findings")
    }

    #[test]
    fn a_server_as_it_should_be_is_well() {
        assert_eq!(worst(&server(&[])).0, Health::Ok);
    }

    #[test]
    fn each_setting_that_nodes_suffer_from_is_told() {
        let cases = [
            ("server_version_num", "120001", Health::Fail, "server"),
            ("default_transaction_read_only", "on", Health::Fail, "server"),
            ("fsync", "off", Health::Warn, "durability"),
            ("synchronous_commit", "off", Health::Warn, "durability"),
            ("autovacuum", "off", Health::Warn, "autovacuum"),
            ("autovacuum_naptime", "3600", Health::Warn, "autovacuum"),
            ("idle_session_timeout", "1000", Health::Warn, "timeouts"),
            ("transaction_timeout", "5000", Health::Warn, "timeouts"),
            ("max_connections", "20", Health::Warn, "connections"),
        ];
        for (name, value, health, check) in cases {
            assert_eq!(worst(&server(&[(name, value)])), (health, check), "{name} = {value}");
        }
    }

    #[test]
    fn a_standby_a_pooler_and_a_long_transaction_are_told() {
        let usual = || server(&[]);
        assert_eq!(worst(&Server { standby: true, ..usual() }), (Health::Fail, "server"));
        assert_eq!(worst(&Server { pooled: true, ..usual() }), (Health::Warn, "pooler"));
        let long = vec![("7 (ada, psql)".to_owned(), 900)];
        assert_eq!(worst(&Server { long, ..usual() }), (Health::Warn, "transactions"));
    }
}

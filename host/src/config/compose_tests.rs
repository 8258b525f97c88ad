//! Which of file, environment and flags goes before which, and how a wrong word is refused.

use clap::Parser;

use super::*;
use crate::store::Synchronous;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    serve: ServeArgs,
}

fn composed(file: &str, flags: &[&str]) -> Config {
    let program = Program::try_parse_from([&["flyball"], flags].concat()).expect("flags");
    let file = FileConfig::parse("flyball.toml", file).expect("a file");
    Config::compose(&program.globals, &program.serve, &file).expect("a configuration")
}

fn refused(file: &str) -> String {
    let parsed = FileConfig::parse("flyball.toml", file).map_err(ConfigError::from);
    let composed = parsed.and_then(|file| Config::compose(&Globals::default(), &ServeArgs::default(), &file));
    composed.expect_err(file).to_string()
}

#[test]
fn without_a_word_the_contract_holds() {
    let config = composed("", &[]);
    assert_eq!(config.database, "sqlite:flyball.db");
    assert_eq!(config.listen.map(|at| at.to_string()).as_deref(), Some("127.0.0.1:8484"));
    assert_eq!(config.plugins.folder, PathBuf::from("plugins"));
    assert_eq!(config.plugins.ceilings, Ceilings::default());
    assert_eq!((config.node.lease, config.node.losses.max_crashes), (Duration::from_secs(15), 3));
    assert_eq!((config.node.queues.len(), config.node.drain_timeout), (0, Duration::from_secs(30)));
    assert_eq!(config.node.classes, Classes::Only(vec![ExecutorClass::default()]));
    assert_eq!((config.node.maintenance, config.synchronous), (Maintenance::Shared, Synchronous::Full));
}

/// Every key there is.
const WHOLE: &str = r#"
database = "postgres://app@db/flyball"
plugins = "workers"
cache = "none"
listen = "none"
[queues]
default = 16
mail = { concurrency = 4, weight = 2 }
slow = { weight = 1000 }
[ceilings]
timeout = "10m"
fuel = "2T"
memory = "512MiB"
output = "1MiB"
[node]
name = "left"
concurrency = 6
classes = ["gpu", ""]
lease = "5s"
max_crashes = 1000
crash_backoff = { base = "100ms" }
guest_memory = "4GiB"
stop_grace = "500ms"
drain_timeout = "1m"
deadline_grace = "2m"
poll_interval = "50ms"
health_pulse = "1m"
no_maintenance = true
allocator = "on-demand"
log = "debug"
log_format = "json"
[sqlite]
synchronous = "normal"
"#;

#[test]
fn everything_that_a_file_can_say_holds() {
    let config = composed(WHOLE, &[]);
    let Config { node, sandbox, plugins, log, .. } = &config;
    insta::assert_snapshot!(format!("{node:?}\n{plugins:?}\n{:?}\n{log:?}", sandbox.allocator), @r#"
NodeConfig { name: "left", concurrency: 6, queues: [ServedQueue { queue: "default", concurrency: 16, weight: Weight(1) }, ServedQueue { queue: "mail", concurrency: 4, weight: Weight(2) }, ServedQueue { queue: "slow", concurrency: 6, weight: Weight(1000) }], classes: Only(["gpu", ""]), lease: 5s, losses: LossPolicy { max_crashes: 1000, backoff: Backoff { base: 100ms, cap: 60s } }, deadline_grace: 120s, poll_interval: 50ms, health_pulse: Some(60s), stop_grace: 500ms, drain_timeout: 60s, maintenance: Never }
PluginsConfig { folder: "workers", cache: None, ceilings: Ceilings { timeout: 600s, fuel: 2000000000000, memory_bytes: 536870912, output_bytes: 1048576 } }
OnDemand
LogConfig { format: Json, filter: "debug" }
"#);
    assert_eq!((config.listen, config.synchronous), (None, Synchronous::Normal));
    assert_eq!((config.sandbox.slots, config.sandbox.guest_memory), (6, 4 << 30));
    assert_eq!(
        (config.sandbox.max_memory_bytes, config.sandbox.stop_grace),
        (512 << 20, Duration::from_millis(500))
    );
}

#[test]
fn a_flag_goes_before_the_file() {
    let file = "listen = \"none\"\n[queues]\nmail = 3\n[node]\nlease = \"5s\"\nclasses = [\"gpu\"]\nno_maintenance = true\n";
    type Holds = fn(&Config) -> bool;
    let cases: [(&[&str], Holds); 9] = [
        (&["--queue", "a=2:3", "--queue", "b:5"], |config| {
            let weights = config.node.queues.iter().map(|served| served.weight.get());
            weights.eq([3, 5]) && config.node.queues[0].concurrency == 2
        }),
        (&["--lease", "9s"], |config| config.node.lease == Duration::from_secs(9)),
        (&["--listen", "[::1]:80"], |config| config.listen.is_some()),
        (&["--queue", "a=2", "--queue", "b"], |config| {
            config.node.queues.len() == 2
                && config.node.queues[0].concurrency == 2
                && config.node.queues[1].concurrency == config.node.concurrency
        }),
        (&["--class", "*"], |config| config.node.classes == Classes::Every),
        (&["--no-maintenance=false"], |config| config.node.maintenance == Maintenance::Shared),
        (&["--health-pulse", "5s"], |config| config.node.health_pulse == Some(Duration::from_secs(5))),
        (&["--database", "sqlite:x.db"], |config| config.database == "sqlite:x.db"),
        (&["--crash-backoff", "2s..3s"], |config| config.node.losses.backoff.cap == Duration::from_secs(3)),
    ];
    for (flags, holds) in cases {
        assert!(holds(&composed(file, flags)), "{flags:?}");
        assert!(!holds(&composed(file, &[])), "{flags:?}");
    }
    assert_eq!(composed("", &["--no-maintenance"]).node.maintenance, Maintenance::Never);
    assert_eq!(composed("[node]\nhealth_pulse = \"1m\"", &["--health-pulse", "0s"]).node.health_pulse, None);
}

#[test]
fn a_key_that_is_not_acted_on_is_refused_with_its_line() {
    insta::assert_snapshot!(refused("databse = \"x\""), @"flyball.toml, line 1, column 1: unknown field `databse`, expected one of `database`, `plugins`, `cache`, `listen`, `queues`, `ceilings`, `node`, `sqlite`, `retention`, `schedules`, `limits`");
    insta::assert_snapshot!(refused("[node]\nleese = \"1s\""), @"flyball.toml, line 2, column 1: unknown field `leese`, expected one of `name`, `concurrency`, `classes`, `lease`, `max_crashes`, `crash_backoff`, `guest_memory`, `stop_grace`, `drain_timeout`, `deadline_grace`, `poll_interval`, `health_pulse`, `no_maintenance`, `allocator`, `log`, `log_format`");
    insta::assert_snapshot!(refused("metrics_addr = \"127.0.0.1:9000\""), @"flyball.toml, line 1, column 1: `metrics_addr` is not supported yet: there are no metrics so far; remove the key");
    insta::assert_snapshot!(refused("[ceilings]\nhttp = [\"https://*.example.com\"]"), @"flyball.toml, line 2, column 1: `ceilings.http` is not supported yet: workers have no network so far; remove the key");
}

#[test]
fn a_value_that_is_none_is_refused_with_what_it_may_be() {
    // The words are the store's.
    assert!(refused("database = \"mysql://x\"").starts_with("database: "));
    insta::assert_snapshot!(refused("listen = \"8484\""), @r#"flyball.toml, line 1, column 10: "8484" is not an address: write it as 127.0.0.1:8484, [::1]:8484, or none"#);
    insta::assert_snapshot!(refused("[queues]\nMail = 4"), @r#"flyball.toml, line 2, column 1: queue "Mail" is not valid: 1 to 64 of a-z, 0-9, _ and -, beginning with a letter"#);
    insta::assert_snapshot!(refused("[queues]\nmail = 0"), @"flyball.toml, line 2, column 8: a number of attempts is 1 to 65535");
    insta::assert_snapshot!(refused("[queues]\nmail = { weight = 0 }"), @"flyball.toml, line 2, column 19: 0 is not a weight: 1 to 1000");
    insta::assert_snapshot!(refused("[queues]\nmail = \"4\""), @r#"flyball.toml, line 2, column 8: invalid type: string "4", expected a number of attempts, or { concurrency = N, weight = N }"#);
    insta::assert_snapshot!(refused("[node]\nlease = \"10ms\""), @"lease: 10ms: must be 1s to 1h");
    insta::assert_snapshot!(refused("[node]\nlease = 15"), @r#"flyball.toml, line 2, column 9: "15" is not a duration: write it as a number with its unit, such as 200ms, 30s, 5m, 1h30m or 2d"#);
    insta::assert_snapshot!(refused("[node]\nconcurrency = 0"), @"flyball.toml, line 2, column 15: invalid value: integer `0`, expected a nonzero u16");
    insta::assert_snapshot!(refused("[node]\ncrash_backoff = \"1m..1s\""), @"flyball.toml, line 2, column 17: delays from 1m up to 1s: must be 1ms to 30d, the base at most the cap");
    insta::assert_snapshot!(refused("[node]\nguest_memory = \"1MiB\""), @"guest_memory: 1MiB is too little for any worker: at least 16MiB");
    insta::assert_snapshot!(refused("[node]\nlog_format = \"xml\""), @"flyball.toml, line 2, column 14: unknown variant `xml`, expected `text` or `json`");
    insta::assert_snapshot!(refused("[sqlite]\nsynchronous = \"off\""), @"flyball.toml, line 2, column 15: unknown variant `off`, expected `full` or `normal`");
}

/// The environment of this process is not ours to change: the test runs itself again, in one that is.
#[test]
fn the_environment_goes_between_the_file_and_the_flags() {
    const INNER: &str = "config::compose::tests::the_environment_goes_between_the_file_and_the_flags";
    if ambient::variables_of_ours().iter().any(|name| name == "FLYBALL_LEASE") {
        let file = "database = \"sqlite:file.db\"\n[node]\nlease = \"5s\"\nmax_crashes = 7\n";
        let config = composed(file, &[]);
        assert_eq!((config.node.lease, config.node.losses.max_crashes), (Duration::from_secs(8), 7));
        assert_eq!((config.database.as_str(), config.node.queues.len()), ("sqlite:env.db", 2));
        assert_eq!(composed(file, &["--lease", "9s"]).node.lease, Duration::from_secs(9));
        let environment = ServeArgs::from_environment().expect("variables");
        assert_eq!(environment.node.lease, Some(Span(Duration::from_secs(8))));
        assert_eq!(remarks(), ["the variable FLYBALL_LEESE is set, but means nothing here"]);
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let variables = [
        ("DATABASE_URL", "sqlite:env.db"),
        ("FLYBALL_LEASE", "8s"),
        ("FLYBALL_LEESE", "8s"),
        ("FLYBALL_QUEUE", "a=1,b"),
    ];
    let mut command = std::process::Command::new(program);
    for ours in ambient::variables_of_ours() {
        command.env_remove(ours);
    }
    let run = command.args(["--exact", INNER]).envs(variables).output().expect("run again");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn schedules_of_the_file_are_read_whole() {
    let file = r#"
        [[schedules]]
        slug = "nightly"
        kind = "report"
        cron = "0 2 * * *"
        timezone = "Europe/Berlin"
        args = { days = 1, since = 2026-01-01 }
        queue = "mail"
        overlap = "skip"
        backfill_cap = 0
        [[schedules]]
        slug = "often"
        kind = "report"
        every = "90s"
    "#;
    let schedules = composed(file, &[]).schedules.expect("some");
    let [nightly, often] = schedules.as_slice() else { panic!("{schedules:?}") };
    assert_eq!(nightly.zone.name(), "Europe/Berlin");
    assert_eq!((nightly.job.args.as_str(), nightly.backfill_cap), (r#"{"days":1,"since":"2026-01-01"}"#, 0));
    assert_eq!((often.timing.to_string().as_str(), often.job.args.as_str()), ("@every 1m30s", "{}"));
}

#[test]
fn a_schedule_that_can_not_be_one_is_refused_with_its_line() {
    let with = |line: &str| refused(&format!("[[schedules]]\nslug = \"s\"\nkind = \"k\"\n{line}\n"));
    let cases = [
        ("cron = \"61 * * * *\"", "flyball.toml, line 4, "),
        ("cron = \"0 2 * * *\"\ntimezone = \"Mars/Base\"", "flyball.toml, line 5, "),
        ("cron = \"0 2 * * *\"\ncorn = 1", "unknown field `corn`"),
        ("", "schedule s: say when"),
        ("every = \"1m\"\ncron = \"0 2 * * *\"", "schedule s: say either `cron` or `every`"),
        ("every = \"500ms\"", "an interval is whole seconds"),
        ("every = \"1m\"\npriority = 40000", "priority must be 0 to 32767"),
        ("every = \"1m\"\nbackfill_cap = 5000", "backfill_cap must be 0 to 1000"),
    ];
    for (line, why) in cases {
        let error = with(line);
        assert!(error.contains(why) && error.contains("flyball.toml, line"), "{line}: {error}");
    }
    let twice = "[[schedules]]\nslug = \"s\"\nkind = \"k\"\nevery = \"1m\"\n".repeat(2);
    assert!(refused(&twice).contains("two have the slug \"s\""));
}

#[test]
fn retention_is_by_state_and_queue_and_may_be_for_ever() {
    let file = r#"
        [retention]
        succeeded = "1d"
        discarded = "never"
        [retention.queues.mail]
        succeeded = "2h"
    "#;
    let retention = composed(file, &[]).retention;
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
    assert_eq!((retention.keep.succeeded, retention.keep.discarded), (hours(24), None));
    let mail = retention.queues.values().next().expect("one");
    assert_eq!((mail.succeeded, mail.discarded, mail.logs), (hours(2), None, hours(7 * 24)));
    assert!(refused("[retention]\nsucceeded = \"soon\"").contains("or \"never\""));
    assert!(refused("[retention]\nsucceeded = \"10ms\"").contains("is too short: at least 1s"));
}

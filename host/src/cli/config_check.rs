//! `flyball config check`: what the file, the environment and the flags come to.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::exit::Exit;
use crate::config::{Config, Globals, Maintenance, ServeArgs, WrittenRate};
use crate::job::{Keep, Limit, RetentionPolicy, ServedQueue};
use crate::quantity::{Bytes, Count, Span};
use crate::store::{Classes, Synchronous};
use crate::timing::Schedule;

/// Checks the configuration, and shows what it comes to.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ConfigCheck {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    serve: ServeArgs,
}

impl ConfigCheck {
    /// Reads everything as `serve` would, and prints it.
    ///
    /// # Errors
    /// Where the configuration is wrong, and what to do.
    pub(super) async fn run(self, globals: &Globals) -> Result<Exit> {
        let config = Config::load(globals, &self.serve)?;
        for remark in &config.remarks {
            eprintln!("note: {remark}");
        }
        let shown = shown(&config);
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{shown:#}")?;
        } else {
            print_lines(&mut out, "", &shown)?;
        }
        Ok(Exit::Done)
    }
}

fn shown(config: &Config) -> Value {
    let Config {
        file,
        database,
        synchronous,
        listen,
        plugins,
        sandbox,
        node,
        schedules,
        limits,
        retention,
        log,
        remarks: _,
    } = config;
    let terms = |served: &ServedQueue| {
        let ServedQueue { queue, concurrency, weight } = served;
        (queue.to_string(), json!({ "concurrency": concurrency, "weight": weight.get() }))
    };
    let queues: serde_json::Map<_, _> = node.queues.iter().map(terms).collect();
    let span = |duration| Span(duration).to_string();
    json!({
        "file": file,
        "database": without_password(database),
        "plugins": plugins.folder,
        "cache": plugins.cache,
        "listen": listen.map_or_else(|| "none".to_owned(), |address| address.to_string()),
        "queues": if queues.is_empty() { json!("every") } else { Value::Object(queues) },
        "ceilings": {
            "timeout": span(plugins.ceilings.timeout),
            "fuel": Count(plugins.ceilings.fuel).to_string(),
            "memory": Bytes(plugins.ceilings.memory_bytes).to_string(),
            "output": Bytes(plugins.ceilings.output_bytes).to_string(),
        },
        "node": {
            "name": node.name,
            "concurrency": node.concurrency,
            "classes": match &node.classes {
                Classes::Every => json!(["*"]),
                Classes::Only(classes) => json!(classes),
            },
            "lease": span(node.lease),
            "max_crashes": node.losses.max_crashes,
            "crash_backoff": format!("{}..{}", Span(node.losses.backoff.base), Span(node.losses.backoff.cap)),
            // Half of a machine is a crooked number.
            "guest_memory": Bytes(sandbox.guest_memory >> 20 << 20).to_string(),
            "stop_grace": span(node.stop_grace),
            "drain_timeout": span(node.drain_timeout),
            "deadline_grace": span(node.deadline_grace),
            "poll_interval": span(node.poll_interval),
            "health_pulse": node.health_pulse.map_or_else(|| "never".to_owned(), span),
            "no_maintenance": node.maintenance == Maintenance::Never,
            "allocator": format!("{:?}", sandbox.allocator).to_lowercase(),
            "log": log.filter,
            "log_format": format!("{:?}", log.format).to_lowercase(),
        },
        "retention": shown_retention(retention),
        "schedules": shown_schedules(schedules.as_deref().unwrap_or_default()),
        "limits": shown_limits(limits.as_deref().unwrap_or_default()),
        "sqlite": { "synchronous": match synchronous { Synchronous::Full => "full", Synchronous::Normal => "normal" } },
    })
}

fn shown_retention(retention: &RetentionPolicy) -> Value {
    let kept =
        |keep: Option<Duration>| keep.map_or_else(|| "never".to_owned(), |keep| Span(keep).to_string());
    let table = |keep: &Keep| {
        json!({
            "succeeded": kept(keep.succeeded),
            "cancelled": kept(keep.cancelled),
            "discarded": kept(keep.discarded),
            "logs": kept(keep.logs),
        })
    };
    let mut shown = table(&retention.keep);
    shown["actions"] = kept(retention.actions).into();
    shown["nodes"] = kept(retention.nodes).into();
    for (queue, keep) in &retention.queues {
        shown["queues"][queue.as_str()] = table(keep);
    }
    shown
}

fn shown_schedules(schedules: &[Schedule]) -> Value {
    let shown = |schedule: &Schedule| {
        let Schedule { slug, job, timing, zone, backfill_cap, overlap } = schedule;
        let table = json!({
            "kind": job.kind,
            "args": job.args,
            "when": timing.to_string(),
            "timezone": zone.name(),
            "queue": job.queue,
            "priority": job.priority,
            "class": job.executor_class,
            "backfill_cap": backfill_cap,
            "overlap": overlap,
        });
        (slug.to_string(), table)
    };
    Value::Object(schedules.iter().map(shown).collect())
}

fn shown_limits(limits: &[Limit]) -> Value {
    let shown = |limit: &Limit| {
        let Limit { name, queue, kind, key, concurrency, rate } = limit;
        let table = json!({
            "queue": queue,
            "kind": kind,
            "key": key.as_ref().map(ToString::to_string),
            "concurrency": concurrency,
            "rate": rate.map(|rate| WrittenRate(rate).to_string()),
            "burst": rate.map(|rate| rate.burst),
        });
        (name.to_string(), table)
    };
    Value::Object(limits.iter().map(shown).collect())
}

/// A URL that can be shown.
fn without_password(url: &str) -> String {
    let hidden = || {
        let (scheme, rest) = url.split_once("://")?;
        let (who, host) = rest.rsplit_once('@')?;
        let (user, _) = who.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{host}"))
    };
    hidden().unwrap_or_else(|| url.to_owned())
}

fn print_lines(out: &mut impl io::Write, prefix: &str, value: &Value) -> io::Result<()> {
    let Value::Object(entries) = value else { return Ok(()) };
    for (key, value) in entries {
        match value {
            Value::Object(_) => print_lines(out, &format!("{prefix}{key}."), value)?,
            Value::String(text) => writeln!(out, "{prefix}{key} = {text}")?,
            Value::Null => writeln!(out, "{prefix}{key} = none")?,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) => writeln!(out, "{prefix}{key} = {value}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(without_password("postgres://app:s3cr@t@db/x"), "postgres://app:***@db/x");
        assert_eq!(without_password("postgres://app@db/x"), "postgres://app@db/x");
        assert_eq!(without_password("sqlite:flyball.db"), "sqlite:flyball.db");
    }
}

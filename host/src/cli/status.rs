//! `flyball status`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use serde::Serialize;

use super::connect::with_client;
use super::table::{Table, age};
use super::{Exit, Globals, nodes, queues};
use crate::client::{Client, QueueStatus};
use crate::job::{JobState, Kind, Queue, Timestamp};
use crate::quantity::Span;
use crate::store::{KindWaiting, NodeRecord, Overview, QueueHealth, Skew};

/// Begins the screen anew.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// Jobs by state, lanes that wait, kinds that no node has, nodes.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    /// Look again and again, until Ctrl-C: on a terminal the screen is drawn anew, elsewhere each look is a line.
    #[arg(long)]
    watch: bool,
    /// With --watch: how often, such as `500ms` or `10s`.
    #[arg(long, value_name = "SPAN", default_value = "2s", requires = "watch", value_parser = interval)]
    every: Span,
    /// Print JSON; with --watch, an object a line.
    #[arg(long)]
    json: bool,
}

/// From a tenth of a second to an hour.
fn interval(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(|error: crate::quantity::QuantityError| error.to_string())?;
    let bounds = Duration::from_millis(100)..=Duration::from_secs(3600);
    if bounds.contains(&span.0) { Ok(span) } else { Err(format!("{span} is not from 100ms to 1h")) }
}

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    overview: Overview,
    /// How all queues together stand.
    overall: QueueHealth,
    /// How each queue stands.
    queues: BTreeMap<Queue, QueueStatus>,
    /// Kinds whose jobs are not claimed.
    kinds_paused: Vec<Kind>,
    /// Kinds with available jobs that no living node has.
    kinds_waiting: Vec<KindWaiting>,
    /// Kinds of which living nodes have different components.
    kinds_differing: Vec<Skew>,
    nodes: Vec<NodeRecord>,
}

impl Status {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        with_client(globals, async |client| {
            if self.watch {
                return self.watch(client).await;
            }
            let report = look(client).await?;
            if self.json {
                say!("{}", serde_json::to_string(&report)?);
            } else {
                print(&report);
            }
            Ok(Exit::Done)
        })
        .await
    }

    async fn watch(&self, client: &Client) -> anyhow::Result<Exit> {
        let stopped = tokio::signal::ctrl_c();
        tokio::pin!(stopped);
        // Who asks for the wrong database is told at once; one that goes away later may come back.
        let mut report = tokio::select! {
            _ = &mut stopped => return Ok(Exit::Done),
            report = look(client) => Ok(report?),
        };
        loop {
            if let Err(gone) = self.show(&report) {
                // The reader has seen enough (`| head`).
                tracing::debug!(%gone, "nobody reads on");
                return Ok(Exit::Done);
            }
            let next = async {
                client.clock().sleep(self.every.0).await;
                look(client).await
            };
            report = tokio::select! {
                _ = &mut stopped => return Ok(Exit::Done),
                next = next => next,
            };
        }
    }

    /// One look of many.
    fn show(&self, report: &anyhow::Result<Report>) -> io::Result<()> {
        let mut out = io::stdout();
        let screen = !self.json && out.is_terminal();
        if screen {
            write!(out, "{CLEAR}")?;
        }
        match report {
            Err(error) => eprintln!("error: {error:#}"),
            Ok(report) if self.json => writeln!(out, "{}", serde_json::to_string(report)?)?,
            Ok(report) if screen => print(report),
            Ok(report) => writeln!(out, "{}", line(report))?,
        }
        out.flush()
    }
}

async fn look(client: &Client) -> anyhow::Result<Report> {
    let (overview, nodes) = (client.overview().await?, client.nodes().await?);
    let (overall, queues) = (client.health().await?.overall, client.queues().await?);
    let queues = queues.into_iter().map(|status| (status.queue.clone(), status)).collect();
    let paused = client.kinds().await?.into_iter().filter(|kind| kind.paused);
    let kinds_paused = paused.map(|kind| kind.kind).collect();
    let now = overview.sampled_at;
    let alive = || nodes.iter().filter(|node| node.is_alive(now));
    let (kinds_waiting, kinds_differing) = (overview.kinds_waiting(alive()), Skew::among(alive()));
    Ok(Report { overview, overall, queues, kinds_paused, kinds_waiting, kinds_differing, nodes })
}

/// How things stand, on one line.
fn line(report: &Report) -> String {
    let Report { overview, overall, queues, kinds_paused, kinds_waiting, nodes, .. } = report;
    let now = overview.sampled_at;
    let count = |state: &JobState| overview.states.get(state).copied().unwrap_or(0);
    let states = JobState::ALL.iter().map(|state| format!("{state} {}", count(state)));
    let mut words = vec![states.collect::<Vec<_>>().join(", ")];
    words.extend(overall.oldest_ready_age.map(|oldest| format!("oldest ready {}", age(oldest))));
    words.push(format!("nodes {}", nodes.iter().filter(|node| node.is_alive(now)).count()));
    let paused = queues.values().filter(|queue| queue.paused).map(|queue| format!("queue {}", queue.queue));
    let paused: Vec<_> = paused.chain(kinds_paused.iter().map(|kind| format!("kind {kind}"))).collect();
    if !paused.is_empty() {
        words.push(format!("paused {}", paused.join(", ")));
    }
    if !kinds_waiting.is_empty() {
        let waiting: Vec<_> = kinds_waiting.iter().map(|waiting| waiting.kind.as_str()).collect();
        words.push(format!("no node has {}", waiting.join(", ")));
    }
    crate::job::one_line(&format!("{now} {}", words.join("; "))).into_owned()
}

fn print(report: &Report) {
    let now: Timestamp = report.overview.sampled_at;
    let mut states = Table::new(["state", "jobs"]);
    for state in JobState::ALL {
        states.row([state.to_string(), report.overview.states.get(state).copied().unwrap_or(0).to_string()]);
    }
    states.print();
    if !report.queues.is_empty() {
        say!();
        queues::print(report.queues.values());
    }
    if !report.overview.lanes.is_empty() {
        say!();
        let mut lanes = Table::new(["queue", "kind", "class", "available", "oldest due"]);
        for lane in &report.overview.lanes {
            let (queue, kind, class) = (&lane.queue, &lane.kind, &lane.executor_class);
            let since = format!("{:.1?} ago", now.since(lane.oldest_due));
            lanes.row([
                queue.to_string(),
                kind.to_string(),
                class.to_string(),
                lane.available.to_string(),
                since,
            ]);
        }
        lanes.print();
    }
    for kind in &report.kinds_paused {
        say!("\nthe kind {kind} is paused: `flyball kinds resume {kind}`");
    }
    for KindWaiting { kind, available, oldest_due } in &report.kinds_waiting {
        say!(
            "\nno node has the kind {kind}: {available} of its jobs, the first due since {oldest_due}, wait until \
             {kind}.wasm is in a plugins folder"
        );
    }
    say!();
    nodes::print(&report.nodes, now);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_one_line() {
        let states = JobState::ALL.iter().map(|state| (*state, 2)).collect();
        let sampled_at = Timestamp::from_micros(1_700_000_000_000_000);
        let overview = Overview { states, lanes: Vec::new(), sampled_at };
        let overall = QueueHealth { oldest_ready_age: Some(Duration::from_secs(75)), ..QueueHealth::empty() };
        let kind = Kind::stored("noop");
        let waiting = KindWaiting { kind: Kind::stored("echo"), available: 3, oldest_due: sampled_at };
        let report = Report {
            overview,
            overall,
            queues: BTreeMap::new(),
            kinds_paused: vec![kind],
            kinds_waiting: vec![waiting],
            kinds_differing: Vec::new(),
            nodes: Vec::new(),
        };
        insta::assert_snapshot!(line(&report), @"2023-11-14T22:13:20.000000Z available 2, scheduled 2, running 2, retryable 2, paused 2, succeeded 2, cancelled 2, discarded 2; oldest ready 1m15s; nodes 0; paused kind noop; no node has echo");
    }

    #[test]
    fn it_looks_no_more_often_than_ten_times_a_second() {
        assert!(interval("100ms").is_ok() && interval("1h").is_ok());
        assert!(interval("99ms").is_err() && interval("2h").is_err() && interval("2").is_err());
    }
}

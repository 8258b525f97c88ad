//! `flyball bench backlog`: what a claim costs beside many rows that it can't take.

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use super::percentiles::Percentiles;
use super::stand::Stand;
use crate::cli::demo::unless_interrupted;
use crate::cli::table::Table;
use crate::cli::{Exit, Globals};
use crate::store::backlog::{Effort, Sort};
use crate::store::{Database, database_of};

/// What a claim may take longer beside the many rows than beside the few.
const ALLOWED: f64 = 1.5;

/// What a claim costs beside many rows that it can't take.
///
/// For each sort of rows two databases are made, one with few of them and one with many, and both have the same jobs
/// that are ready. Claims are made on the one and the other in turn, so that both meet the same machine. If the middle one
/// of the many takes more than 1.5 times as long, this ends with 1.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Backlog {
    /// A PostgreSQL server to make the databases on, `postgres://…`, by a role that may create databases; SQLite files
    /// in a folder of their own if none is given. They are dropped afterwards.
    #[arg(long, value_name = "URL")]
    on: Option<String>,
    /// Only this sort of rows; repeatable.
    #[arg(long = "sort", value_name = "SORT", value_parser = sort)]
    sorts: Vec<Sort>,
    /// The few.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    few: u32,
    /// The many.
    #[arg(long, default_value_t = 1_000_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    many: u32,
    /// In how many queues, kinds or classes they are.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    lanes: u32,
    /// Jobs of one claim.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    jobs: u32,
    /// How many claims that find jobs, and as many that find none.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(3..=100_000))]
    claims: u32,
    /// Print JSON, a line for each sort.
    #[arg(long)]
    json: bool,
}

fn sort(name: &str) -> Result<Sort, String> {
    let found = Sort::BACKLOG.into_iter().find(|sort| sort.name() == name);
    let names = || Sort::BACKLOG.map(Sort::name).join(", ");
    found.ok_or_else(|| format!("{name:?} is not a sort of rows: {}", names()))
}

/// Claims on one of the two databases.
#[derive(Debug, Serialize)]
struct Side {
    rows: u32,
    /// The first claim on new connections: what it needs is read, and its statement planned.
    first_us: u128,
    claim: Percentiles,
    /// Claims that find nothing.
    empty: Percentiles,
    #[serde(flatten)]
    effort: Effort,
}

#[derive(Debug, Serialize)]
struct Measured {
    database: Database,
    build: &'static str,
    sort: Sort,
    lanes: u32,
    jobs: u32,
    few: Side,
    many: Side,
    ratio: f64,
    empty_ratio: f64,
}

impl Backlog {
    pub(super) async fn run(self, _globals: &Globals) -> anyhow::Result<Exit> {
        let sorts = if self.sorts.is_empty() { Sort::BACKLOG.to_vec() } else { self.sorts.clone() };
        let mut measured = Vec::new();
        for sort in sorts {
            eprintln!("measuring beside {} and {} rows: {}", self.few, self.many, sort.name());
            let one = self.measure(sort).await?;
            if self.json {
                say!("{}", serde_json::to_string(&one)?);
            }
            measured.push(one);
        }
        if !self.json {
            print(&measured);
        }
        let held = |one: &Measured| one.ratio <= ALLOWED && one.empty_ratio <= ALLOWED;
        Ok(if measured.iter().all(held) { Exit::Done } else { Exit::Failed })
    }

    async fn measure(&self, sort: Sort) -> anyhow::Result<Measured> {
        let ready = self.jobs * (self.claims + 1);
        let on = self.on.as_deref();
        let mut stands = Vec::new();
        let filled = unless_interrupted(async {
            for rows in [self.few, self.many] {
                stands.push(Stand::make(on).await?);
                let stand = stands.last().context("it was just made")?;
                stand.fill(sort, [rows, ready], self.lanes).await?;
            }
            self.claim(sort, &stands).await
        })
        .await;
        for stand in stands {
            stand.drop().await?;
        }
        filled
    }

    async fn claim(&self, sort: Sort, stands: &[Stand]) -> anyhow::Result<Measured> {
        let [few, many] = stands else { anyhow::bail!("there are two databases") };
        let mut efforts = Vec::new();
        for stand in [few, many] {
            efforts.push(stand.effort(self.jobs).await?);
        }
        let (mut few, mut many) = (few.open().await?, many.open().await?);
        let first = [few.claim(self.jobs).await?, many.claim(self.jobs).await?];
        let mut took: [Vec<Duration>; 4] = Default::default();
        for round in 0..self.claims * 2 {
            // The first half finds jobs, the second none.
            let half = usize::from(round >= self.claims) * 2;
            took[half].push(few.claim(self.jobs).await?);
            took[half + 1].push(many.claim(self.jobs).await?);
        }
        few.close().await;
        many.close().await;
        let mut took = took.into_iter().map(|took| Percentiles::of(took).context("nothing was measured"));
        let mut next = || took.next().context("nothing was measured")?;
        let (claims, empty) = ([next()?, next()?], [next()?, next()?]);
        let ratio = |of: &[Percentiles; 2]| of[1].p50_ratio(&of[0]);
        let side = |at: usize, rows| Side {
            rows,
            first_us: first[at].as_micros(),
            claim: claims[at],
            empty: empty[at],
            effort: efforts[at],
        };
        Ok(Measured {
            database: database_of(self.on.as_deref().unwrap_or("sqlite:"))?,
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            sort,
            lanes: self.lanes,
            jobs: self.jobs,
            ratio: ratio(&claims),
            empty_ratio: ratio(&empty),
            few: side(0, self.few),
            many: side(1, self.many),
        })
    }
}

fn print(measured: &[Measured]) {
    let columns = ["sort", "rows", "first", "p50", "ratio", "p50 of none", "ratio", "effort"];
    let mut table = Table::new(columns);
    for one in measured {
        for (side, ratios) in [(&one.few, None), (&one.many, Some((one.ratio, one.empty_ratio)))] {
            let ratio =
                |of: fn((f64, f64)) -> f64| ratios.map_or_else(String::new, |r| format!("{:.2}", of(r)));
            let effort = match side.effort {
                Effort::Buffers { buffers_hit, buffers_read } => {
                    format!("{buffers_hit} buffers hit, {buffers_read} read")
                }
                Effort::Steps { vm_steps } => format!("{vm_steps} VM steps"),
            };
            table.row([
                one.sort.name().to_owned(),
                side.rows.to_string(),
                format!("{}.{:02} ms", side.first_us / 1000, side.first_us % 1000 / 10),
                side.claim.cells()[0].clone(),
                ratio(|(claim, _)| claim),
                side.empty.cells()[0].clone(),
                ratio(|(_, empty)| empty),
                effort,
            ]);
        }
    }
    table.print();
}

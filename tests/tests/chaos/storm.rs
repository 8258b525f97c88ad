//! The storm itself: one fault after the other, over jobs that come in all the while, and the judgement at its end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use flyball::Client;
use flyball::store::Database;
use flyball_tests::proxy::Pattern;
use flyball_tests::wall::Offset;
use flyball_tests::{GENEROUS, ambient, eventually};
use tokio_util::sync::CancellationToken;

use super::fault::{self, FINALIZE, Fault, Moment, Then};
use super::fleet::Fleet;
use super::form::Form;
use super::laws::Laws;
use super::ledger::Ledger;
use super::operators::Operators;
use super::stream::Stream;
use super::verdict;
use super::world::{CLOCKED, LONG_LIVED, World};

/// For a statement to come by that a fault waits for.
const COMES_BY: Duration = Duration::from_secs(10);
/// How many faults a stepped clock lasts for.
const STEPPED_FOR: usize = 3;
/// For what is left when the storm is over.
const CALM: Duration = Duration::from_secs(300);
/// Jobs that wait, for each node.
const BACKLOG: u64 = 300;
/// In flight at nine kills of ten, and at nearly all but on a machine that does much else.
const IN_FLIGHT: usize = 200;

/// All of it.
pub(crate) async fn weather(world: World, form: Form) -> Result<()> {
    let begun = ambient::instant();
    let Form { seed, kills, within } = form;
    let faults = fault::schedule(seed, kills, world.database, world.lease());
    println!(
        "chaos on {:?}: seed {seed}, {} faults, {kills} kills at least; FLYBALL_TESTS_SEED={seed} \
         FLYBALL_CHAOS_KILLS={kills} repeats the schedule",
        world.database,
        faults.len()
    );
    world.home.call(&["migrate"]).await?;
    let url = world.home.database().to_owned();
    let client = Client::connect(&url, "chaos").await.context("connect to enqueue")?;
    let ledger = Arc::<Ledger>::default();
    let (stop, calm) = (CancellationToken::new(), CancellationToken::new());
    let backlog = BACKLOG * u64::try_from(world.slots())?;
    let stream = Stream { client: client.clone(), ledger: Arc::clone(&ledger), backlog, seed };
    let stream = tokio::spawn(stream.flow(stop.clone()));
    let operators = Operators { client: client.clone(), ledger: Arc::clone(&ledger), seed };
    let operators = tokio::spawn(operators.work(calm.clone()));
    let laws = Laws::new(&url, world.database, client.clone());
    let fleet = Fleet::start(&world).await?;
    let mut storm = Storm { fleet, world: &world, ledger, laws, stepped: None, begun };
    storm.rage(&faults, within).await.with_context(|| format!("seed {seed}"))?;
    stop.cancel();
    stream.await??;
    calm.cancel();
    operators.await??;
    storm.pass(&client).await.with_context(|| format!("seed {seed}"))?;
    let Storm { fleet, ledger, laws, .. } = storm;
    let report = verdict::pronounce(&client, &fleet, &ledger, &laws).await;
    let report = report.with_context(|| format!("seed {seed}"))?;
    println!("chaos on {:?}: seed {seed}, {:.0?}\n{}{report}", world.database, begun.elapsed(), fleet.tally);
    let (kills, few) = (fleet.tally.kills(), fleet.tally.with_fewer_than(IN_FLIGHT));
    println!("  at {few} of {kills} kills fewer than {IN_FLIGHT} were in flight");
    ensure!(few * 10 <= kills, "at {few} of {kills} kills too few were in flight to show anything");
    Ok(())
}

struct Storm<'w> {
    world: &'w World,
    fleet: Fleet<'w>,
    ledger: Arc<Ledger>,
    laws: Laws,
    /// For how many faults more the clock of a node is off.
    stepped: Option<usize>,
    begun: Instant,
}

impl Storm<'_> {
    async fn rage(&mut self, faults: &[Fault], within: Duration) -> Result<()> {
        // As often in a long storm as in a short one: the laws are asked of all rows.
        let between = (faults.len() / 12).max(5);
        for (number, fault) in faults.iter().enumerate() {
            if number >= fault::sorts(self.world.database) && self.begun.elapsed() > within {
                println!("  time is up after {number} of {} faults", faults.len());
                return Ok(());
            }
            self.suffer(*fault).await.with_context(|| format!("fault {number}: {fault:?}"))?;
            self.step_back()?;
            if number % between == between - 1 {
                self.laws.ask().await?;
                let (kills, since) = (self.fleet.tally.kills(), self.begun.elapsed());
                println!("  {} of {} faults, {kills} kills, {since:.0?}", number + 1, faults.len());
            }
        }
        Ok(())
    }

    async fn suffer(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill(slot) => {
                self.fleet.filled(slot).await?;
                self.fleet.kill(slot, "nodes, at any moment").await
            }
            Fault::KillAt(slot, moment) => {
                self.fleet.filled(slot).await?;
                self.kill_at(slot, moment).await
            }
            Fault::Postmaster { down } => self.kill_postmaster(down).await,
            Fault::Freeze(slot) => self.freeze(slot).await,
            Fault::Deaf { slot, lasts, then } => self.silence(slot, lasts, then).await,
            Fault::Swallow { slot, marker } => self.swallow(slot, marker).await,
            Fault::DiskFull { lasts } => self.fill_disk(lasts).await,
            Fault::Step(slot, offset) => self.step(slot, offset).await,
        }
    }

    async fn kill_at(&mut self, slot: usize, moment: Moment) -> Result<()> {
        match (moment, self.world.proxy(slot)) {
            (Moment::After, _) => {
                self.fleet
                    .kill_at_words(slot, "\"job finished\"", "nodes, that had just heard of a finalize")
                    .await
            }
            (Moment::Before, None) => {
                self.fleet.kill_at_words(slot, "\"guest ended\"", "nodes, before a finalize").await
            }
            (Moment::Before, Some(proxy)) => {
                let held = proxy.withhold_next(Pattern::statement(FINALIZE)).struck(COMES_BY).await;
                proxy.disarm();
                let sort = if held.is_ok() { "nodes, before a finalize" } else { "nodes, at any moment" };
                self.fleet.kill(slot, sort).await
            }
            (Moment::Within(_), None) => self.kill_within_commit(slot).await,
            (Moment::Within(marker), Some(proxy)) => {
                let held = proxy.hold_next(Pattern::statement(marker)).struck(COMES_BY).await;
                proxy.disarm();
                let within = "nodes, between a commit and its answer";
                let sort = if held.is_ok() { within } else { "nodes, at any moment" };
                self.fleet.kill(slot, sort).await
            }
        }
    }

    /// On SQLite: in the moment in which the write-ahead log is seen to be written.
    async fn kill_within_commit(&mut self, slot: usize) -> Result<()> {
        let file = self.world.home.database().trim_start_matches("sqlite:").to_owned() + "-wal";
        let handle = self.fleet.node(slot).handle().clone();
        let seen = tokio::task::spawn_blocking(move || {
            let look = || std::fs::metadata(&file).and_then(|file| file.modified()).ok();
            let (before, begun) = (look(), ambient::instant());
            while look() == before && begun.elapsed() < COMES_BY {
                std::thread::sleep(Duration::from_micros(50));
            }
            handle.signal(rustix::process::Signal::KILL)
        });
        seen.await??;
        self.fleet.kill(slot, "nodes, while a commit was written").await
    }

    async fn kill_postmaster(&mut self, down: Duration) -> Result<()> {
        let Some(cluster) = &self.world.cluster else { return Ok(()) };
        self.fleet.filled(LONG_LIVED).await?;
        let overall = self.fleet.in_flight();
        cluster.kill_postmaster()?;
        self.fleet.tally.kill("postmasters", overall, overall);
        tokio::time::sleep(down).await;
        cluster.restart().await
    }

    async fn freeze(&mut self, slot: usize) -> Result<()> {
        self.fleet.filled(slot).await?;
        self.fleet.tally.fault("nodes that stood still");
        let pid = self.fleet.node(slot).pid();
        match self.world.database {
            Database::Sqlite => {
                let over = async {
                    tokio::time::sleep(self.world.lease()).await;
                    Ok(())
                };
                self.fleet.freeze(slot, over).await.map(drop)
            }
            Database::Postgres => {
                let client = Client::connect(self.world.home.database(), "chaos").await?;
                let lost = async || {
                    let nodes = client.nodes().await?;
                    anyhow::Ok(nodes.iter().filter(|node| node.pid == pid && node.lost_at.is_some()).count())
                };
                let before = lost().await?;
                let over = eventually(GENEROUS, "the node to be taken for dead", async || {
                    lost().await.map(|lost| lost > before)
                });
                let lines = self.fleet.freeze(slot, over).await?;
                self.fleet.says(slot, lines, "goes on under a new id").await
            }
        }
    }

    async fn silence(&mut self, slot: usize, lasts: Duration, then: Then) -> Result<()> {
        let Some(proxy) = self.world.proxy(slot) else { return Ok(()) };
        self.fleet.filled(slot).await?;
        self.fleet.tally.fault(match then {
            Then::Pass => "silences that passed",
            Then::Cut => "silences that ended in a cut",
        });
        proxy.go_deaf();
        tokio::time::sleep(lasts).await;
        match then {
            Then::Pass => {}
            Then::Cut => proxy.cut_all(),
        }
        proxy.pass();
        Ok(())
    }

    async fn swallow(&mut self, slot: usize, marker: &'static str) -> Result<()> {
        let Some(proxy) = self.world.proxy(slot) else { return Ok(()) };
        self.fleet.filled(slot).await?;
        let swallowed = proxy.swallow_next(Pattern::statement(marker)).struck(COMES_BY).await;
        proxy.disarm();
        self.fleet.tally.fault(match swallowed {
            Ok(()) => "answers that were swallowed",
            Err(_) => "answers that nobody asked for in time",
        });
        Ok(())
    }

    async fn fill_disk(&mut self, lasts: Duration) -> Result<()> {
        let Some(room) = &self.world.room else { return Ok(()) };
        let before = self.ledger.full.load(Ordering::Relaxed);
        room.fill().await?;
        self.ledger.pressing.store(true, Ordering::Relaxed);
        let felt = async || self.ledger.full.load(Ordering::Relaxed) > before || !self.is_up().await;
        let felt = eventually(GENEROUS, "somebody to be refused for want of space", felt).await;
        tokio::time::sleep(lasts).await;
        room.give_back()?;
        self.ledger.pressing.store(false, Ordering::Relaxed);
        felt?;
        self.fleet.tally.fault("full disks");
        if !self.is_up().await
            && let Some(cluster) = &self.world.cluster
        {
            self.fleet.tally.fault("servers that a full disk had brought down");
            cluster.restart().await?;
        }
        Ok(())
    }

    async fn is_up(&self) -> bool {
        match &self.world.cluster {
            Some(cluster) => cluster.is_up().await,
            None => true,
        }
    }

    async fn step(&mut self, slot: usize, offset: Offset) -> Result<()> {
        let Some(clock) = &self.world.clock else { return Ok(()) };
        debug_assert!(slot == CLOCKED || self.world.database == Database::Sqlite);
        self.fleet.filled(slot).await?;
        self.fleet.tally.fault(match offset {
            Offset::Ahead(_) => "clocks an hour ahead",
            Offset::Behind(_) => "clocks an hour back",
            Offset::None => "clocks set right",
        });
        clock.step(offset)?;
        self.stepped = Some(STEPPED_FOR);
        Ok(())
    }

    /// Sets the clock right when its time has come.
    fn step_back(&mut self) -> Result<()> {
        self.stepped = match self.stepped {
            Some(0) => {
                if let Some(clock) = &self.world.clock {
                    clock.step(Offset::None)?;
                }
                None
            }
            left => left.map(|left| left - 1),
        };
        Ok(())
    }

    /// Nothing more goes wrong: what is left is worked off, and the nodes go.
    async fn pass(&mut self, client: &Client) -> Result<()> {
        if let (Some(clock), Database::Sqlite) = (&self.world.clock, self.world.database) {
            // On SQLite due times go by the wall clock: what was put off while it was ahead is due when it is so again.
            clock.step(Offset::Ahead(2))?;
        }
        let left = async || {
            let states = client.overview().await?.states;
            let left: Vec<_> =
                states.into_iter().filter(|(state, count)| !state.is_terminal() && *count > 0).collect();
            if left.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("{left:?}")) }
        };
        eventually(CALM, "every job to end", async || left().await.map(|()| true)).await?;
        println!("  every job has ended, {:.0?}", self.begun.elapsed());
        self.laws.ask().await?;
        self.fleet.drain().await
    }
}

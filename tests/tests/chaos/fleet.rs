//! The nodes of a storm: each slot has one, and another as soon as that one is dead.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use flyball_tests::ambient::{self, Moment};
use flyball_tests::node::Node;
use flyball_tests::process::Exit;
use flyball_tests::witness::Witness;
use flyball_tests::{GENEROUS, eventually};
use rustix::process::Signal;

use super::gauge::Gauge;
use super::tally::Tally;
use super::world::World;

/// Of all nodes, before anything is killed: some end between the look and the kill.
const ENOUGH: usize = 225;
/// Of the victim itself.
const BUSY: usize = 40;
/// For a node to have so many: after an outage leases have to pass first.
const FILLED: Duration = Duration::from_secs(240);
/// For a process to be killed by a trap.
const TRAPPED: Duration = Duration::from_secs(60);

/// A node that stood still for longer than its lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frozen {
    pub(crate) pid: u32,
    pub(crate) from: Moment,
    pub(crate) thawed: Moment,
}

struct Life {
    node: Node,
    gauge: Arc<Gauge>,
}

/// All nodes, and what is known of those that are dead.
pub(crate) struct Fleet<'w> {
    world: &'w World,
    lives: Vec<Life>,
    pub(crate) witness: Witness,
    pub(crate) tally: Tally,
    pub(crate) frozen: Vec<Frozen>,
    /// Every process that there was.
    pub(crate) processes: usize,
}

impl<'w> Fleet<'w> {
    pub(crate) async fn start(world: &'w World) -> Result<Self> {
        let (witness, tally) = (Witness::default(), Tally::default());
        let mut fleet = Self { world, lives: Vec::new(), witness, tally, frozen: Vec::new(), processes: 0 };
        for slot in 0..world.slots() {
            let mut life = fleet.born(slot)?;
            life.node.ready(GENEROUS).await?;
            fleet.lives.push(life);
        }
        Ok(fleet)
    }

    pub(crate) fn node(&self, slot: usize) -> &Node {
        &self.lives[slot].node
    }

    /// Guests of all nodes.
    pub(crate) fn in_flight(&self) -> usize {
        self.lives.iter().map(|life| life.gauge.in_flight()).sum()
    }

    /// Waits until enough is in flight, some of it on the node in this slot.
    pub(crate) async fn filled(&mut self, slot: usize) -> Result<()> {
        let begun = ambient::instant();
        while self.lives[slot].gauge.in_flight() < BUSY || self.in_flight() < ENOUGH {
            for slot in 0..self.lives.len() {
                self.replace_if_refused(slot).await?;
            }
            ensure!(
                begun.elapsed() < FILLED,
                "slot {slot} has {} in flight, all together {}, after {FILLED:?}; its log ends with\n{}",
                self.lives[slot].gauge.in_flight(),
                self.in_flight(),
                self.lives[slot].node.log().tail(20)
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// SIGKILL, at whatever it is doing.
    pub(crate) async fn kill(&mut self, slot: usize, sort: &'static str) -> Result<()> {
        let overall = self.in_flight();
        let exit = self.lives[slot].node.kill().await?;
        self.bury(slot, exit, sort, overall)
    }

    /// SIGKILL at the next line of its log that has these words.
    pub(crate) async fn kill_at_words(
        &mut self,
        slot: usize,
        words: &'static str,
        sort: &'static str,
    ) -> Result<()> {
        let overall = self.in_flight();
        self.lives[slot].gauge.set_trap(words);
        let exit = self.lives[slot].node.wait(TRAPPED).await?;
        self.bury(slot, exit, sort, overall)
    }

    /// Counts a kill, and starts another node.
    fn bury(&mut self, slot: usize, exit: Exit, sort: &'static str, overall: usize) -> Result<()> {
        use std::os::unix::process::ExitStatusExt as _;
        let life = &self.lives[slot];
        let killed = exit.status.signal() == Some(Signal::KILL.as_raw());
        ensure!(killed, "a node ended by itself: {}\n{}", exit.status, life.node.log().tail(30));
        self.tally.kill(sort, life.gauge.in_flight(), overall);
        self.succeed(slot)
    }

    /// Hears what the last node of a slot has said, and starts the next.
    fn succeed(&mut self, slot: usize) -> Result<()> {
        let next = self.born(slot)?;
        let last = std::mem::replace(&mut self.lives[slot], next);
        last.node.testify(&mut self.witness);
        self.forget(last.node.pid());
        Ok(())
    }

    fn forget(&self, pid: u32) {
        if let Some(clock) = &self.world.clock {
            clock.forget(pid);
        }
    }

    /// A node that the database did not let start is started again; one that had run and ended by itself is a fault.
    async fn replace_if_refused(&mut self, slot: usize) -> Result<()> {
        let life = &mut self.lives[slot];
        let Some(exit) = life.node.handle().exit() else { return Ok(()) };
        if life.gauge.has_run() {
            bail!("the node in slot {slot} ended by itself: {}\n{}", exit.status, life.node.log().tail(30));
        }
        life.node.wait(GENEROUS).await?;
        self.tally.fault("starts that the database refused");
        self.succeed(slot)?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    }

    fn born(&mut self, slot: usize) -> Result<Life> {
        let gauge = Arc::<Gauge>::default();
        let node = self.world.plan(slot)?.hearing(gauge.hook()).start()?;
        self.processes += 1;
        Ok(Life { node, gauge })
    }

    /// SIGSTOP until `over`, then SIGCONT.
    pub(crate) async fn freeze(
        &mut self,
        slot: usize,
        over: impl Future<Output = Result<()>>,
    ) -> Result<usize> {
        let node = &self.lives[slot].node;
        let (pid, lines, from) = (node.pid(), node.log().count(), ambient::now());
        node.freeze()?;
        let waited = over.await;
        let thawed = ambient::now();
        node.thaw()?;
        waited?;
        self.frozen.push(Frozen { pid, from, thawed });
        Ok(lines)
    }

    /// Ends all in order.
    pub(crate) async fn drain(&mut self) -> Result<()> {
        for slot in 0..self.lives.len() {
            self.replace_if_refused(slot).await?;
            let exit = self.lives[slot].node.drain().await?;
            let life = &self.lives[slot];
            ensure!(
                exit.status.success(),
                "a drain ended with {}\n{}",
                exit.status,
                life.node.log().tail(30)
            );
            life.node.testify(&mut self.witness);
            self.forget(life.node.pid());
        }
        Ok(())
    }

    /// Waits for a word of a node's log after so many lines.
    pub(crate) async fn says(&self, slot: usize, after: usize, words: &str) -> Result<()> {
        let log = self.lives[slot].node.log();
        let mut seen = after;
        let heard = eventually(GENEROUS, words, async || {
            let fresh = log.from(seen);
            seen += fresh.len();
            fresh.iter().any(|line| line.text.contains(words))
        });
        heard.await.with_context(|| format!("the log of slot {slot} ends with\n{}", log.tail(20)))
    }
}

//! The store of one attempt: what the host keeps of a guest, and every limit that is set before its first instruction.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use wasmtime::component::ResourceTable;
use wasmtime::{CallHook, CallHookHandler, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::Ports;
use super::Sandboxes;
use super::checkpoint::Checkpoint;
use super::children::Reads;
use super::computing::Computing;
use super::http::Http;
use super::log::{SharedLog, Source};
use super::memory::{Account, NodeFull};
use super::progress::Progress;
use super::stdio::Stdio;
use super::watch::{Cut, Watch};
use super::wishes::Wishes;
use crate::clock::{Boot, Clock};
use crate::job::Budget;

/// A guest that is interrupted has used its fuel as of its last slice: what it used of the slice under way is lost.
/// Some milliseconds of a tight loop.
const FUEL_SLICE: u64 = 10_000_000;
/// What may cross from a guest to the host in one call.
const HOSTCALL_BYTES: usize = 8 << 20;
/// Handles of components that one attempt may have at once.
const MAX_HANDLES: usize = 10_000;
/// Things of the host that one attempt may hold at once.
const MAX_RESOURCES: usize = 2_000;
/// Random bytes that one call gives.
const MAX_RANDOM: u64 = 64 << 10;
/// What header fields may take in memory, each set of them: as long as requests are denied, not more than it takes to
/// build one.
const MAX_FIELDS: usize = 16 << 10;

/// What the host keeps of one guest.
pub(super) struct Guest {
    pub(super) watch: Watch,
    pub(super) ports: Arc<dyn Ports>,
    pub(super) log: SharedLog,
    pub(super) memory: Account,
    pub(super) progress: Progress,
    pub(super) wishes: Wishes,
    pub(super) checkpoint: Checkpoint,
    pub(super) reads: Reads,
    pub(super) cost_micros: u64,
    /// Why the host cut it short, if it did.
    pub(super) cut: Option<Cut>,
    computing: Computing,
    wasi: WasiCtx,
    http_ctx: WasiHttpCtx,
    http: Http,
    table: ResourceTable,
}

/// The host cut the guest short; why stands in [`Guest::cut`].
#[derive(Debug, thiserror::Error)]
#[error("stopped by the host")]
struct CutShort;

/// Called at every crossing between guest and host. A guest that goes from host call to host call never reaches a place
/// where the epoch is looked at, so it yields here.
struct Crossings;

#[async_trait]
impl CallHookHandler<Guest> for Crossings {
    async fn handle_call_event(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        hook: CallHook,
    ) -> wasmtime::Result<()> {
        let guest = store.data_mut();
        let now = guest.watch.now();
        match hook {
            CallHook::CallingWasm | CallHook::ReturningFromHost => guest.computing.go_on(now),
            CallHook::ReturningFromWasm => guest.computing.pause(now),
            CallHook::CallingHost => {
                guest.computing.pause(now);
                guest.check(now)?;
                if guest.watch.turn().is_over(now) {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }
}

impl Guest {
    pub(super) fn new(
        sandboxes: &Sandboxes,
        watch: Watch,
        ports: Arc<dyn Ports>,
        log: SharedLog,
        memory_bytes: u64,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        let outside = ports.outside();
        let most = memory_bytes.min(sandboxes.config.max_memory_bytes);
        Self {
            watch,
            ports,
            memory: Account::new(sandboxes.memory.clone(), most),
            progress: Progress::default(),
            wishes: Wishes::default(),
            checkpoint: Checkpoint::default(),
            reads: Reads::default(),
            cost_micros: 0,
            cut: None,
            computing: Computing::default(),
            wasi: wasi(&log, sandboxes.clock.clone()),
            http_ctx: http,
            http: Http::new(log.clone(), outside),
            log,
            table,
        }
    }

    /// Puts the guest behind its limits. The limiter comes first: its counts are read when it is set.
    pub(super) fn into_store(self, sandboxes: &Sandboxes, budget: &Budget) -> Store<Self> {
        let mut store = Store::new(&sandboxes.engines.guests, self);
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(hostcall_bytes(budget));
        store.set_max_component_handles(MAX_HANDLES);
        if let Err(error) = store.set_fuel(budget.fuel) {
            // Not reached: the engine counts fuel. Without any, the guest ends at once.
            tracing::error!(%error, "a guest could not be given its fuel");
        }
        if let Err(error) = store.fuel_async_yield_interval(Some(FUEL_SLICE)) {
            tracing::error!(%error, "a guest's fuel could not be sliced");
        }
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| store.data_mut().tick());
        store.call_hook_async(Crossings);
        store
    }

    /// Time that it computed.
    pub(super) fn computed(&self) -> Duration {
        self.computing.total()
    }

    /// Whether the host has ended it, and why.
    pub(super) fn over(&self) -> Option<Cut> {
        self.cut
    }

    /// Whether the node was too full for it.
    pub(super) fn node_full(&self) -> Option<NodeFull> {
        self.memory.node_full()
    }

    /// At every tick that finds the guest computing: others get their turn, and it is checked on.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let now = self.watch.now();
        self.check(now)?;
        self.progress.tick(now, &*self.ports);
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }

    fn check(&mut self, now: Boot) -> wasmtime::Result<()> {
        match self.watch.over(now) {
            None => Ok(()),
            Some(cut) => {
                self.cut.get_or_insert(cut);
                Err(CutShort.into())
            }
        }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.http, table: &mut self.table, ctx: &mut self.http_ctx }
    }
}

/// The time that a guest is told: the host's, in which its job and its deadline are told as well.
struct GuestClock(Clock);

impl HostWallClock for GuestClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().micros()).unwrap_or(0))
    }
}

/// Nothing is granted: no files, no sockets, no names, no environment, no args, an empty stdin.
fn wasi(log: &SharedLog, clock: Clock) -> WasiCtx {
    WasiCtx::builder()
        .wall_clock(GuestClock(clock))
        .stdin(MemoryInputPipe::new(bytes::Bytes::new()))
        .stdout(Stdio { source: Source::Stdout, log: log.clone() })
        .stderr(Stdio { source: Source::Stderr, log: log.clone() })
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(MAX_RANDOM)
        .build()
}

/// Enough for the output as text with white space, which is what its bound is about when it is read.
fn hostcall_bytes(budget: &Budget) -> usize {
    HOSTCALL_BYTES.max(budget.output_bytes.saturating_mul(2).saturating_add(1 << 20))
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;

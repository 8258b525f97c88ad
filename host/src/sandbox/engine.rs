//! The engine: what WebAssembly may be here, and where instances come from. Started once.
//!
//! Limits of one attempt are not here but on its store; see `guest`.

use std::num::NonZeroUsize;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
};

use super::{Allocator, SandboxConfig, SandboxError};

/// Memories that one component may have.
pub(super) const MAX_MEMORIES: u32 = 8;
/// Tables that one component may have.
pub(super) const MAX_TABLES: u32 = 32;
/// Elements of one table; JavaScript needs 8,000, .NET more than 20,000.
pub(super) const MAX_TABLE_ELEMENTS: usize = 100_000;
/// Core instances that one component may have; Python comes in dozens of modules.
pub(super) const MAX_CORE_INSTANCES: u32 = 100;
/// Sandboxes beside those of attempts: workers that are being loaded.
const SPARE_SLOTS: u32 = 4;

const WASM_STACK: usize = 512 << 10;
/// Host functions run on the rest of it, and must never run out: overflowing there ends the process.
const FIBER_STACK: usize = 2 << 20;

/// The engine that runs guests, and one that only looks into compiled components.
pub(super) struct Engines {
    pub(super) guests: Engine,
    /// Takes components that the pool would refuse, so that we can say why. Never runs anything.
    pub(super) inspector: Engine,
}

impl Engines {
    pub(super) fn start(config: &SandboxConfig) -> Result<Self, SandboxError> {
        let on_demand = || {
            let made = Engine::new(&settings(InstanceAllocationStrategy::OnDemand));
            made.map_err(|cause| SandboxError { doing: "making the engine", cause: cause.into() })
        };
        let inspector = on_demand()?;
        let guests = match config.allocator {
            Allocator::OnDemand => on_demand()?,
            Allocator::Pooling => match pooling(config) {
                Ok(engine) => engine,
                Err(error) => {
                    tracing::warn!(
                        error = %format_args!("{error:#}"),
                        "no pool of sandboxes: each attempt maps its own, which is slower; is the address space limited?"
                    );
                    on_demand()?
                }
            },
        };
        Ok(Self { guests, inspector })
    }
}

/// Every memory reserves 4 GiB of address space: where there is less, room for fewer memories may still do.
fn pooling(config: &SandboxConfig) -> wasmtime::Result<Engine> {
    let with = |memories_each| {
        let pool = pool(config, memories_each);
        leaves_room(&pool)?;
        Engine::new(&settings(InstanceAllocationStrategy::Pooling(pool)))
    };
    with(MAX_MEMORIES).or_else(|_| with(2))
}

/// Where the address space of this process is limited, the pool may have half of it.
#[cfg(unix)]
fn leaves_room(pool: &PoolingAllocationConfig) -> wasmtime::Result<()> {
    const SLOT: u64 = (4 << 30) + (32 << 20);
    let needed = u64::from(pool.get_total_memories()).saturating_mul(SLOT);
    match rustix::process::getrlimit(rustix::process::Resource::As).current {
        Some(limit) if needed > limit / 2 => {
            wasmtime::bail!("the pool takes {needed} bytes of address space, of a limit of {limit}")
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(not(unix))]
fn leaves_room(_: &PoolingAllocationConfig) -> wasmtime::Result<()> {
    Ok(())
}

fn settings(strategy: InstanceAllocationStrategy) -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(strategy)
        .epoch_interruption(true)
        .consume_fuel(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        // Details are made from debug information that the guest supplies.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(NonZeroUsize::new(16))
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        // Workers come and go, and registering their unwind tables is quadratic.
        .native_unwind_info(false);
    config
}

fn pool(config: &SandboxConfig, memories_each: u32) -> PoolingAllocationConfig {
    let slots = config.slots.saturating_add(SPARE_SLOTS);
    let scans = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        .total_core_instances(slots.saturating_mul(MAX_CORE_INSTANCES))
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .total_memories(slots.saturating_mul(memories_each))
        .max_memories_per_component(memories_each)
        .max_memories_per_module(memories_each)
        .max_memory_size(usize::try_from(config.max_memory_bytes).unwrap_or(usize::MAX))
        .total_tables(slots.saturating_mul(MAX_TABLES))
        .max_tables_per_component(MAX_TABLES)
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_unused_warm_slots(slots)
        .pagemap_scan(if scans { Enabled::Yes } else { Enabled::No })
        // With the scan only pages that were touched are cleared; without it all of these are.
        .linear_memory_keep_resident(if scans { 1 << 20 } else { 128 << 10 })
        .table_keep_resident(64 << 10)
        .async_stack_keep_resident(64 << 10);
    pool
}

//! A guest takes turns with others, whatever it does.

use std::sync::atomic::{AtomicU32, Ordering};

use wasmtime::{Linker, Module};

use super::*;
use crate::clock::Clock;
use crate::job::Timestamp;
use crate::sandbox::call::drive;
use crate::sandbox::describe::NoPorts;
use crate::sandbox::{LogBounds, Sandbox, SandboxConfig, Stop};

const CALLS: u16 = 1000;

/// A module whose `run` calls the host so often, one call after another: no loop and no function of its own in between.
fn module() -> Vec<u8> {
    let size =
        |n: u16| [u8::try_from(n & 0x7f).expect("7 bits") | 0x80, u8::try_from(n >> 7).expect("few bits")];
    let calls = [0x10, 0].repeat(CALLS.into());
    let body = 2 + 2 * CALLS;
    [
        b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".as_slice(),
        b"\x02\x0d\x01\x04host\x04call\0\0\x03\x02\x01\0\x07\x07\x01\x03run\0\x01",
        &[0x0a],
        &size(body + 3),
        &[1],
        &size(body),
        &[0],
        &calls,
        &[0x0b],
    ]
    .concat()
}

#[tokio::test]
async fn a_guest_that_goes_from_host_call_to_host_call_leaves_its_thread_to_others() -> anyhow::Result<()> {
    let clock = Clock::system();
    let sandbox = Sandbox::start(SandboxConfig { slots: 1, ..SandboxConfig::default() }, clock.clone())?;
    let sandboxes = &sandbox.0.sandboxes;
    let ports: Arc<dyn Ports> = Arc::new(NoPorts);
    let minute = Duration::from_secs(60);
    let watch = Watch::begin(clock.clone(), Stop::new(clock.clone()), ports.clone(), minute, Duration::ZERO);
    let log = SharedLog::new(LogBounds::default(), Clock::manual(Timestamp::EPOCH), ports.clone());
    let budget = Budget { timeout: minute, fuel: 1_000_000, memory_bytes: 1 << 20, output_bytes: 1 << 20 };
    let guest = Guest::new(sandboxes, watch.clone(), ports, log, budget.memory_bytes);
    let mut store = guest.into_store(sandboxes, &budget);

    let mut linker = Linker::new(&sandboxes.engines.guests);
    // A millisecond of work for the host.
    linker.func_wrap("host", "call", move || {
        let begun = clock.boot();
        while clock.boot().since(begun) < Duration::from_millis(1) {
            std::hint::spin_loop();
        }
    })?;
    let module = Module::new(&sandboxes.engines.guests, module())?;
    let instance = linker.instantiate_async(&mut store, &module).await?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;

    // This runtime has one thread: others get on only while the guest yields.
    let turns = Arc::new(AtomicU32::new(0));
    let others = tokio::spawn({
        let turns = turns.clone();
        async move {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    let ended = drive(&watch, run.call_async(&mut store, ())).await;
    others.abort();
    anyhow::ensure!(ended.is_ok(), "{ended:?}");
    let turns = turns.load(Ordering::Relaxed);
    println!("others had {turns} turns in {CALLS} calls of a millisecond");
    anyhow::ensure!(turns >= 10, "others had {turns} turns in a second");
    Ok(())
}

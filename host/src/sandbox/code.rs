//! Taking compiled code back: the only place where something outside of the type system is trusted.
#![expect(unsafe_code, reason = "compiled code can't be checked, only trusted; see `load`")]

use wasmtime::Engine;
use wasmtime::component::Component;

/// Loads what `Engine::precompile_component` made.
pub(super) fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` runs what it is given as machine code, so the bytes must be what this program's compiler
    // made. They come to `Sandbox::prepare` from `Sandbox::compile`, or from a cache that only this program writes:
    // under a key that names engine, settings and processor (`Sandbox::compatibility`) and the digest of the
    // component, by renaming a finished file, with the code's own digest, which is checked when it is read. Whoever
    // can write that cache can also replace this program. A component that somebody drops into the plugins folder
    // never gets here: `compile` takes WebAssembly only. wasmtime itself refuses code of another version or settings.
    unsafe { Component::deserialize(engine, code) }
}

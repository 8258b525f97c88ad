//! The worker contract as Rust types, made from its text. No behaviour of ours.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "worker",
    imports: { default: trappable },
    exports: { default: async },
});

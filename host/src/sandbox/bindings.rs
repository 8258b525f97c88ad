//! The worker contract as Rust types, made from its text. No behaviour of ours.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "worker",
    imports: {
        "flyball:worker/children.list": async | trappable,
        "flyball:worker/checkpoint.load": async | trappable,
        default: trappable,
    },
    exports: { default: async },
});

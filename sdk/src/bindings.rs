//! The contract as Rust: what wit-bindgen makes of `wit/worker.wit`. Nothing here is written by
//! hand, and nothing outside this crate names it.

wit_bindgen::generate!({
    path: "../wit",
    world: "worker",
    pub_export_macro: true,
    generate_all,
});

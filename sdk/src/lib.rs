//! Write Flyball workers in Rust.

//! Is it a store? The same promises, kept on both databases, with a clock that the tests own.

mod claims;
mod inserts;
mod orders;
mod outcomes;
mod world;

//! Is it a store? The same promises, kept on both databases, with a clock that the tests own.

mod claims;
mod inserts;
mod leases;
mod losses;
mod nodes;
mod orders;
mod outcomes;
mod world;

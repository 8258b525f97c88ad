//! Is it a store? The same promises, kept on both databases, with a clock that the tests own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod answers;
mod barriers;
mod bulk;
mod by_sql;
mod checkpoints;
mod children;
mod claims;
mod discards;
mod enqueueing;
mod families;
mod faults;
mod footprint;
mod foreign;
mod held_up;
mod inserts;
mod leases;
mod left_alone;
mod losses;
mod meetings;
mod model;
mod mutants;
mod nodes;
mod orders;
mod outbox;
mod outcomes;
mod plans;
mod promotions;
mod reads;
mod retention;
mod rivals;
mod schedules;
mod schemas;
mod selections;
mod wakings;
mod world;

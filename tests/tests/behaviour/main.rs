//! Does the product keep its promises? The real binary, called and watched from outside, on both databases.

mod answers;
mod cancel;
mod client;
mod doctor;
mod drain;
mod embedding;
mod enqueue;
mod examples;
mod fairness;
mod families;
mod idle;
mod lanes;
mod languages;
mod lease;
mod limits;
mod line;
mod operating;
mod operators;
mod outcomes;
mod plugins;
mod retention;
mod schedules;
mod standing;
mod tls;
mod told;
mod worlds;

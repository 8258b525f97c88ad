//! Does the product keep its promises? The real binary, called and watched from outside, on both databases.

mod cancel;
mod client;
mod drain;
mod fairness;
mod line;
mod plugins;
mod tls;
mod told;
mod worlds;

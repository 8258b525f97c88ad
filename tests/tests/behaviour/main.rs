//! Does the product keep its promises? The real binary, called and watched from outside, on both databases.

mod answers;
mod cancel;
mod drain;
mod fairness;
mod plugins;
mod tls;
mod told;
mod worlds;

//! The verbs of the store, a file for each family. They compare, swap and answer; what the end of an attempt means for
//! its job they are told by `job/`.

mod back;
mod barrier;
mod checkpoint;
mod claim;
mod endings;
mod family;
mod finalize;
mod find;
mod follow_ups;
mod health;
mod insert;
mod move_jobs;
mod node;
mod operate;
mod promote;
mod read;
mod renew;
mod settling;
mod sweep;

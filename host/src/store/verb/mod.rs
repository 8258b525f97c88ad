//! The verbs of the store, a file for each family. They compare, swap and answer; what the end of an attempt means for
//! its job they are told by `job/`.

mod back;
mod barrier;
mod checkpoint;
mod claim;
mod delete_jobs;
mod endings;
mod family;
mod finalize;
mod find;
mod fire;
mod flag;
mod follow_ups;
mod footprint;
mod health;
mod insert;
mod limit;
mod limit_walk;
mod move_jobs;
mod node;
mod operate;
mod ordered;
mod promote;
mod prune;
mod read;
mod renew;
mod schedule;
mod schedule_row;
mod settling;
mod sweep;
mod turn;

//! A storm of faults over a stream of jobs, with real processes of the real binary, on both databases: nodes and servers
//! are killed, stopped, cut off, starved of disk and lied to about the time, by a schedule that one seed decides.
//!
//! `cargo test --workspace --test chaos` is the short form. `FLYBALL_CHAOS_KILLS=600` makes it as long as that many kills
//! take, on each database, `FLYBALL_CHAOS_MINUTES=30` ends it then; `FLYBALL_TESTS_SEED` repeats a schedule. What was done and found is printed: `-- --nocapture`.

mod dice;
mod doctored;
mod fault;
mod fleet;
mod form;
mod gauge;
mod laws;
mod ledger;
mod operators;
mod overlap;
mod part;
mod storm;
mod stream;
mod tally;
mod verdict;
mod world;

use anyhow::Result;
use tokio::sync::Mutex;

use form::Form;
use world::World;

/// One storm at a time: two would be in each other's way, and show less.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_charged_in_a_storm_of_faults_on_sqlite() -> Result<()> {
    let _alone = ALONE.lock().await;
    storm::weather(World::sqlite()?, Form::asked()?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_charged_in_a_storm_of_faults_on_postgres() -> Result<()> {
    let _alone = ALONE.lock().await;
    match World::postgres().await? {
        Some(world) => storm::weather(world, Form::asked()?).await,
        None => Ok(()),
    }
}

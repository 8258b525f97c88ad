//! Random interleavings of everything that moves a job, against a model of the lifecycle: after every step the store and
//! the model say the same of every job, and at the end the log of every change of state, kept by triggers, is replayed.

mod drive;
mod journal;
mod reference;
mod step;

use std::cell::{Cell, RefCell};

use flyball::store::Database;
use flyball::store::probe::Edit;
use flyball_tests::ambient;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::drive::Drive;
use self::journal::Journal;
use crate::world::World;

/// Cases on each database.
const CASES: u32 = 1000;
/// Steps of a case, at most.
const STEPS: usize = 30;

/// The seed of this run: `FLYBALL_TESTS_SEED`, or the time.
fn seed() -> [u8; 32] {
    let given = ambient::variable("FLYBALL_TESTS_SEED").and_then(|seed| seed.to_str()?.parse().ok());
    let number: i64 = given.unwrap_or_else(|| ambient::now().0);
    println!("seed {number}; FLYBALL_TESTS_SEED={number} repeats it");
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

/// Runs so many cases; the first that does not agree is shrunk, and told with its steps.
async fn agrees(world: &World, cases: u32) -> Result<usize, String> {
    let mut journal = Journal::keep(world).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let handle = tokio::runtime::Handle::current();
    let mut steps = 0;
    // The runner blocks; what it runs is driven from its thread.
    let agreed = tokio::task::block_in_place(|| {
        let journal = RefCell::new(&mut journal);
        let steps = Cell::from_mut(&mut steps);
        let case = |case: Vec<step::Step>| {
            steps.set(steps.get() + case.len());
            let mut journal = journal.borrow_mut();
            handle.block_on(async {
                journal.forget().await;
                let mut drive = Drive::begin(world).await;
                for step in &case {
                    drive.take(step).await.map_err(TestCaseError::fail)?;
                }
                drive.agrees_with(&journal.read().await).map_err(TestCaseError::fail)
            })
        };
        runner.run(&vec(step::any(), 1..STEPS), case)
    });
    agreed.map(|()| steps).map_err(|error| error.to_string())
}

async fn interleavings_agree_with_the_model(database: Database) {
    let Some(world) = World::new(database).await else { return };
    match agrees(&world, CASES).await {
        Ok(steps) => println!("{CASES} cases of {steps} steps in all agree with the model on {database:?}"),
        Err(why) => panic!("{why}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleavings_agree_with_the_model_on_sqlite() {
    interleavings_agree_with_the_model(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interleavings_agree_with_the_model_on_postgres() {
    interleavings_agree_with_the_model(Database::Postgres).await;
}

/// A model that agrees with everything shows nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_forgets_something_does_not_agree_with_the_model() {
    let mutants = [
        (
            "settle_jobs",
            "WHEN cancel_requested_at IS NOT NULL AND d.state NOT IN",
            "WHEN false AND d.state NOT IN",
        ),
        ("settle_jobs", "failures = d.failures", "failures = jobs.failures"),
        ("insert", "d.value ->> 'on_discard'", "NULL"),
    ];
    for (statement, from, to) in mutants {
        let edit = Edit { statement, from, to };
        let world = World::mutant(Database::Sqlite, &[edit]).await.expect("SQLite is always there");
        let told = agrees(&world, CASES).await.expect_err("it agrees all the same");
        println!("without `{from}`: {told}");
    }
}

//! The judgement finds what it is for: a calm run is judged well, and each copy of it that was doctored is not.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use flyball::Client;
use flyball::job::JobId;
use flyball::store::Database;
use flyball_tests::{GENEROUS, eventually};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::dice::Dice;
use super::fleet::Fleet;
use super::laws::Laws;
use super::ledger::Ledger;
use super::part::Part;
use super::verdict;
use super::world::World;

/// What each change makes the judgement say at the end. The job that has a key is the victim: it is meant to succeed, and
/// never to fail.
const DOCTORED: [(&str, &str); 11] = [
    ("is lost", "DELETE FROM jobs WHERE id = $job"),
    ("attempts [7] of 1", "UPDATE job_runs SET attempt = 7 WHERE job_id = $job"),
    ("attempts [1] of 2", "UPDATE jobs SET attempt = 2 WHERE id = $job"),
    ("charged 1 times", "UPDATE jobs SET failures = 1 WHERE id = $job"),
    ("settled by Some(Sweep)", "UPDATE job_runs SET settled_by = 'sweep' WHERE job_id = $job"),
    (
        "it ended discarded",
        "UPDATE jobs SET state = 'discarded' WHERE id = $job; \
         UPDATE job_runs SET outcome = 'crashed', settled_by = 'start' WHERE job_id = $job",
    ),
    ("0 successes", "UPDATE job_runs SET outcome = 'released' WHERE job_id = $job"),
    ("an attempt that ended error", "UPDATE job_runs SET outcome = 'error' WHERE job_id = $job"),
    (
        "that nobody asked for",
        "INSERT INTO jobs (id, kind, queue, args, priority, state, created_at, scheduled_at, finalized_at) VALUES \
         ('019a0e7c-5b1f-7c3e-9d42-0f6b8f0c5a11', 'echo', 'default', '{}', 100, 'succeeded', 1, 1, 1)",
    ),
    (
        "1 follow-ups and 1 continuations",
        "DELETE FROM jobs WHERE id = (SELECT id FROM jobs WHERE awaited LIMIT 1)",
    ),
    ("2 follow-ups and 0 continuations", "DELETE FROM jobs WHERE continues_run_id IS NOT NULL"),
];

/// And what the laws say that are asked all along.
const UNLAWFUL: [(&str, &str); 4] = [
    (
        "what runs has a run row that has started",
        "UPDATE jobs SET state = 'running', finalized_at = NULL, node_id = 'n', lease_token = 't', deadline_at = 1 \
         WHERE id = $job",
    ),
    (
        "a run that has started and not ended",
        "UPDATE job_runs SET outcome = 'started', settled_by = NULL, finished_at = NULL WHERE job_id = $job",
    ),
    (
        "no job has succeeded twice",
        "UPDATE job_runs SET job_id = $job, attempt = 2 WHERE outcome = 'success' AND job_id <> $job AND job_id = \
         (SELECT id FROM jobs WHERE awaited LIMIT 1)",
    ),
    ("who has succeeded has a run that says so", "DELETE FROM job_runs WHERE job_id = $job"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_judgement_finds_what_is_lost_doubled_charged_or_not_written_down() -> Result<()> {
    let _alone = super::ALONE.lock().await;
    let world = World::sqlite()?;
    world.home.call(&["migrate"]).await?;
    let client = Client::connect(world.home.database(), "chaos").await?;
    let (ledger, mut dice) = (Arc::<Ledger>::default(), Dice::new(1, "jobs"));
    for part in [Part::Plain, Part::Failing(1), Part::Refused, Part::Family(2), Part::Keyed] {
        let id = JobId::mint(client.clock().now());
        client.enqueue_as(id, part.opts(&mut dice)?).await?;
        ledger.enter(id, part);
    }
    let mut fleet = Fleet::start(&world).await?;
    let ended = async || {
        let states = client.overview().await?.states;
        anyhow::Ok(states.iter().all(|(state, count)| state.is_terminal() || *count == 0))
    };
    eventually(GENEROUS, "every job to end", ended).await?;
    fleet.drain().await?;
    let mut laws = Laws::new(world.home.database(), Database::Sqlite, client.clone());
    laws.ask().await?;
    verdict::pronounce(&client, &fleet, &ledger, &laws).await?;
    for (number, (words, change)) in DOCTORED.into_iter().enumerate() {
        let copy = doctored(&world, number, change).await.with_context(|| words.to_owned())?;
        let client = Client::connect(&copy, "chaos").await?;
        let nothing = Laws::new(&copy, Database::Sqlite, client.clone());
        let judged = verdict::pronounce(&client, &fleet, &ledger, &nothing).await;
        found(words, judged.map(drop))?;
    }
    for (number, (words, change)) in UNLAWFUL.into_iter().enumerate() {
        let copy = doctored(&world, 100 + number, change).await.with_context(|| words.to_owned())?;
        let client = Client::connect(&copy, "chaos").await?;
        found(words, Laws::new(&copy, Database::Sqlite, client).ask().await)?;
    }
    Ok(())
}

fn found(words: &str, judged: Result<()>) -> Result<()> {
    let told = format!("{:#}", judged.err().with_context(|| format!("{words:?} was not found"))?);
    ensure!(told.contains(words), "{words:?} was found as {told}");
    Ok(())
}

async fn doctored(world: &World, number: usize, change: &str) -> Result<String> {
    let copy = world.home.folder().join(format!("copy-{number}.db")).display().to_string();
    let mut connection = SqliteConnection::connect(world.home.database()).await?;
    sqlx::raw_sql(AssertSqlSafe(format!("VACUUM INTO '{copy}'"))).execute(&mut connection).await?;
    let mut connection = SqliteConnection::connect(&format!("sqlite:{copy}")).await?;
    let change = change.replace("$job", "(SELECT id FROM jobs WHERE unique_key IS NOT NULL)");
    sqlx::raw_sql(AssertSqlSafe(change)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(format!("sqlite:{copy}"))
}

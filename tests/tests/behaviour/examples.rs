//! The examples of the host do what they say, each as a process of its own.

use anyhow::Result;
use flyball_tests::house;

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    the_quick_start_counts_the_words_of_a_text,
    an_embedded_node_is_ready_when_its_program_is_and_runs_until_idle,
);

fn plugins(world: &World) -> String {
    world.home.plugins().display().to_string()
}

async fn the_quick_start_counts_the_words_of_a_text(world: World) -> Result<()> {
    let world = world.with(&["word-count"])?;
    let ran = world.home.example("quick-start", &[world.home.database(), &plugins(&world)]).await?;
    assert_eq!(ran.succeeded()?, "counted 6 words on 2 lines\nthe node stopped: Clean\n");
    Ok(())
}

async fn an_embedded_node_is_ready_when_its_program_is_and_runs_until_idle(world: World) -> Result<()> {
    let world = world.with(&["word-count"])?;
    let ran = world.home.example("embedded-node", &[world.home.database(), &plugins(&world)]).await?;
    let said = "ready at first: false\nready when it is warm: true\nthe reporter stops with its node\n\
        3 attempts ended, and the node stopped: Clean\n";
    assert_eq!(ran.succeeded()?, said);
    Ok(())
}

#[tokio::test]
async fn schedules_of_a_program_fire_in_the_place_of_a_crontab() -> Result<()> {
    let world = World::sqlite().await?.with(&["word-count"])?;
    let ran = world.home.example("replace-cron", &[world.home.database(), &plugins(&world)]).await?;
    let said = ran.succeeded()?;
    let lines: Vec<&str> = said.lines().collect();
    let [fired, nightly, tick, stopped] = lines.as_slice() else { panic!("{said}") };
    assert_eq!((*fired, *stopped), ("tick fired twice", "the node stopped: Clean"), "{said}");
    assert!(tick.starts_with("tick fires next at 20"), "{said}");
    // Two in the morning in Berlin is midnight or one in UTC.
    let two = nightly.starts_with("nightly-report fires next at 20")
        && (nightly.contains("T00:00:00") || nightly.contains("T01:00:00"));
    assert!(two, "{said}");
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_rolled_back_has_no_job_and_one_that_commits_has_one() -> Result<()> {
    let world = World::sqlite().await?;
    let ran = world.home.example("outbox", &["outbox.db"]).await?;
    assert_eq!(
        ran.succeeded()?,
        "order 7 is paid\norder 13 is not paid: the bank refused order 13\norders that are paid: [7]\n\
         job send-receipt {\"order\":7} is available\n"
    );
    Ok(())
}

#[test]
fn every_example_is_read_as_a_page() -> Result<()> {
    for path in house::files(&house::root().join("host/examples"), "rs")? {
        let lines = std::fs::read_to_string(&path)?.lines().count();
        assert!(lines <= 90, "{} has {lines} lines", path.display());
    }
    Ok(())
}

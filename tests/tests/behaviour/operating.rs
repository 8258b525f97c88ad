//! The operators' page, `host/OPERATING.md`: its commands and settings exist, and what it says of roles and copies holds.

use anyhow::{Context as _, Result, ensure};
use flyball_tests::load::Load;
use flyball_tests::{GENEROUS, Home, Node, guests, house, postgres};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::worlds::World;

fn page() -> Result<String> {
    Ok(std::fs::read_to_string(house::root().join("host/OPERATING.md"))?)
}

/// What stands in the fenced blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let opened = format!("```{language}\n");
    page.split(opened.as_str())
        .skip(1)
        .filter_map(|rest| Some(rest.split("```").next()?.to_owned()))
        .collect()
}

#[tokio::test]
async fn every_command_on_the_operators_page_is_one() -> Result<()> {
    let (home, page) = (Home::sqlite()?, page()?);
    let blocks = blocks(&page, "sh").join("\n");
    let quoted = page.split('`').skip(1).step_by(2).filter(|quoted| !quoted.contains('\n'));
    let mut tried = 0;
    for line in blocks.lines().chain(quoted).filter(|line| line.starts_with("flyball ")) {
        let words: Vec<&str> = line.split('#').next().unwrap_or("").split_whitespace().skip(1).collect();
        let is_name =
            |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
        let names: Vec<&str> = words.iter().take_while(is_name).take(2).copied().collect();
        let mut ran = home.run(&[names.as_slice(), &["--help"]].concat()).await?;
        if ran.code != Some(0) {
            // The second word was no command, but what the first is about.
            ran = home.run(&[&names[..1], &["--help"]].concat()).await?;
        }
        let help = ran.succeeded().with_context(|| line.to_owned())?;
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            ensure!(help.contains(flag), "`{line}`: there is no {flag} in\n{help}");
        }
        tried += 1;
    }
    ensure!(tried > 20, "only {tried} commands were found on the page");
    Ok(())
}

#[tokio::test]
async fn every_setting_on_the_operators_page_is_one() -> Result<()> {
    let files = blocks(&page()?, "toml");
    ensure!(files.len() == 2, "{} files on the page", files.len());
    for file in files {
        let home = Home::sqlite()?;
        home.configure(&file)?;
        home.call(&["config", "check"]).await.with_context(|| file.clone())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_node_works_under_a_role_that_owns_nothing() -> Result<()> {
    let Some(database) = postgres::database().await? else { return Ok(()) };
    let home = Home::on(database.url())?;
    guests::find("echo")?.put_into(&home.plugins())?;
    home.call(&["migrate"]).await?;
    // Roles are the server's, and other tests have it too.
    let role = format!("{}_node", database.name());
    let grants = blocks(&page()?, "sql").concat().replace("TO node", &format!("TO {role}"));
    let mut owner = database.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE ROLE {role} LOGIN; {grants}"))).execute(&mut owner).await?;
    let (_, place) = home.database().split_once("//").context("a URL")?;
    let place = place.split_once('@').map_or(place, |(_, place)| place);
    let home = home.by(format!("postgres://{role}@{place}"));
    let mut node = Node::serve(&home, &[]).await?;
    let family = json!({
        "count_on": true,
        "log": "a line",
        "follow_ups": [{ "kind": "echo", "times": 3 }],
        "barrier": { "kind": "echo", "args": { "children": true } },
    });
    let load = Load::enqueue(home.database(), "echo", 1, |_| family.clone()).await?;
    load.finished(GENEROUS).await?;
    load.audit().await?.assert_each_succeeded_once()?;
    home.call(&["prune"]).await?;
    home.call(&["queues", "pause", "mail"]).await?;
    ensure!(node.drain().await?.status.success());
    sqlx::raw_sql(AssertSqlSafe(format!("DROP OWNED BY {role}; DROP ROLE {role}")))
        .execute(&mut owner)
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_copy_of_one_moment_is_taken_up_by_another_node() -> Result<()> {
    let world = World::sqlite().await?.with(&["echo"])?;
    let load = Load::enqueue(world.home.database(), "echo", 60, |_| json!({ "sleep_ms": 100 })).await?;
    let mut node = Node::serve(&world.home, &["--concurrency", "8"]).await?;
    let some = async || load.unfinished().await.map(|left| left < 50);
    flyball_tests::eventually(GENEROUS, "some jobs to end", some).await?;
    let copy = world.home.folder().join("backup.db");
    let mut reader = SqliteConnection::connect(world.home.database()).await?;
    let taken = format!("VACUUM INTO '{}'", copy.display());
    sqlx::raw_sql(AssertSqlSafe(taken)).execute(&mut reader).await?;
    node.kill().await?;
    let restored = world.home.by(format!("sqlite:{}", copy.display()));
    let quiet = Node::serve(&restored, &["--queue", "none"]).await;
    let mut quiet = quiet.context("a node that claims nothing")?;
    let states: serde_json::Value = restored.ask(&["status", "--json"]).await?;
    ensure!(quiet.drain().await?.status.success());
    let running = states["states"]["running"].as_u64().unwrap_or(0);
    ensure!(running == 0, "what ran at the time of the copy was taken back: {states}");
    let mut next = Node::serve(&restored, &["--concurrency", "8"]).await?;
    let client = flyball::Client::connect(restored.database(), "test").await?;
    let left = async || {
        let states = client.overview().await?.states;
        anyhow::Ok(states.iter().all(|(state, count)| state.is_terminal() || *count == 0))
    };
    flyball_tests::eventually(GENEROUS, "every job to end", left).await?;
    ensure!(next.drain().await?.status.success());
    let jobs: Vec<serde_json::Value> = restored.ask(&["jobs", "list", "--limit", "100", "--json"]).await?;
    ensure!(jobs.len() == 60 && jobs.iter().all(|job| job["state"] == "succeeded"), "{jobs:?}");
    Ok(())
}

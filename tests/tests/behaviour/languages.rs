//! Workers in other languages, from a new folder to their place in a family of jobs.

use std::path::Path;

use anyhow::{Context as _, Result};
use flyball_tests::guests::foreign;
use flyball_tests::node::Node;
use flyball_tests::{GENEROUS, Home, eventually, house};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

/// Builds the worker in this folder of the repository and puts it into the plugins folder; says whether it could.
async fn install(folder: &str, home: &Home) -> Result<bool> {
    let folder = house::root().join(folder);
    let built = tokio::task::spawn_blocking(move || foreign::build(&folder)).await??;
    built.as_ref().map(|guest| guest.put_into(&home.plugins())).transpose()?;
    Ok(built.is_some())
}

/// `new`, the command that it prints, and a job for what came out.
async fn is_written_built_and_run(lang: &str, sign: &str) -> Result<()> {
    let home = Home::sqlite()?;
    let said = home.call(&["new", "greet", "--lang", lang]).await?;
    assert!(home.folder().join("greet").join(sign).is_file());
    let next = said.split("next: flyball ").nth(1).context("no next command")?.trim().to_owned();
    let built = home.call(&next.split(' ').collect::<Vec<_>>()).await?;
    assert_eq!(Path::new(built.trim()), Path::new("plugins/greet.wasm"));
    let output: Value = serde_json::from_str(&home.call(&["run", "greet", r#"{"name": "Ada"}"#]).await?)?;
    assert_eq!(output, "Hello, Ada!");
    let refused = home.run(&["run", "greet", r#"{"name": 7}"#]).await?;
    assert!(refused.code == Some(1) && refused.stderr.contains("validation"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn a_new_worker_in_python_builds_by_the_printed_command_and_runs() -> Result<()> {
    if !install("tests/guests/python-echo", &Home::sqlite()?).await? {
        return Ok(());
    }
    is_written_built_and_run("python", "src/worker.py").await
}

#[tokio::test]
async fn a_new_worker_in_javascript_builds_by_the_printed_command_and_runs() -> Result<()> {
    if !install("tests/guests/js-echo", &Home::sqlite()?).await? {
        return Ok(());
    }
    is_written_built_and_run("js", "worker.js").await
}

/// That the engines build and keep the list is shown in `sandbox`.
#[tokio::test]
async fn the_engine_of_javascript_is_chosen_in_package_json() -> Result<()> {
    let home = Home::sqlite()?;
    if !install("tests/guests/js-echo", &home).await? {
        return Ok(());
    }
    home.call(&["new", "greet", "--lang", "js"]).await?;
    let file = home.folder().join("greet/package.json");
    let package: Value = serde_json::from_str(&std::fs::read_to_string(&file)?)?;
    for (engine, said) in [
        ("v8", "there is no engine \"v8\"; it may be quickjs or starlingmonkey"),
        ("starlingmonkey", "npm install --save-dev @bytecodealliance/componentize-js@0.23.0"),
    ] {
        let mut chosen = package.clone();
        chosen["flyball"] = json!({ "engine": engine });
        std::fs::write(&file, chosen.to_string())?;
        let refused = home.run(&["build", "greet"]).await?;
        assert!(refused.code == Some(1) && refused.stderr.contains(said), "{refused:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_new_worker_in_no_language_is_begun_on_an_sdk_that_is_none() -> Result<()> {
    let home = Home::sqlite()?;
    for (lang, sign) in [("rust", "Cargo.toml"), ("python", "pyproject.toml"), ("js", "package.json")] {
        let refused = home.run(&["new", "greet", "--lang", lang, "--sdk", "plugins"]).await?;
        assert!(refused.code == Some(1) && refused.stderr.contains("--sdk wants the folder"), "{refused:?}");
        assert!(refused.stderr.contains(sign), "{refused:?}");
        assert!(!home.folder().join("greet").exists(), "nothing is begun");
    }
    Ok(())
}

#[tokio::test]
async fn the_samples_in_python_and_javascript_do_what_their_pages_say() -> Result<()> {
    let home = Home::sqlite()?;
    for kind in ["csv-summary", "json-diff"] {
        let folder = format!("plugins/{kind}");
        if !install(&folder, &home).await? {
            continue;
        }
        let page = std::fs::read_to_string(house::root().join(&folder).join("README.md"))?;
        let quoted = |label: &str| {
            let behind = page.split(label).nth(1)?;
            Some(behind.split('`').nth(1)?.to_owned())
        };
        let (args, told) = (quoted("Args: ").context("args")?, quoted("Output: ").context("output")?);
        let output: Value = serde_json::from_str(&home.call(&["run", kind, &args]).await?)?;
        assert_eq!(output, serde_json::from_str::<Value>(&told)?, "{kind}");
    }
    Ok(())
}

/// A worker in Rust fans out to one in each language, all of which fail once and count on; the continuation, in
/// Python, reads what they came to.
async fn a_family_of_all_languages_ends_behind_its_barrier(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let manifest = "[grants.enqueue]\nkinds = [\"echo\", \"python-echo\", \"js-echo\", \"c-echo\"]\n[retry]\nbase = \"1s\"\n";
    let mut kinds = vec!["echo"];
    std::fs::write(world.home.plugins().join("echo.toml"), manifest)?;
    for kind in ["python-echo", "js-echo", "c-echo"] {
        if install(&format!("tests/guests/{kind}"), &world.home).await? {
            kinds.push(kind);
        }
    }
    let mut node = Node::serve(&world.home, &[]).await?;
    let child = |kind: &&str| json!({"kind": kind, "args": {"count_on": true, "fail": {"times": 1}}});
    let last = kinds.iter().find(|kind| **kind == "python-echo").unwrap_or(&"echo");
    let orders = json!({
        "follow_ups": kinds.iter().map(child).collect::<Vec<_>>(),
        "barrier": {"kind": last, "args": {"children": true}, "unique_key": "the-end"},
    });
    world.home.call(&["enqueue", "echo", &orders.to_string()]).await?;
    let listed = async || -> Result<Vec<Value>> { world.home.ask(&["jobs", "list", "--json"]).await };
    let all = kinds.len() + 2;
    let ended = async || {
        let jobs = listed().await?;
        anyhow::Ok(jobs.len() == all && jobs.iter().all(|job| job["state"] == "succeeded"))
    };
    eventually(GENEROUS * 4, "all jobs to succeed", ended).await?;
    let jobs = listed().await?;
    let end = jobs.iter().find(|job| job["args"]["children"] == true).context("no continuation")?;
    let id = end["id"].as_str().context("an id")?;
    let told: Value = world.home.ask(&["jobs", "show", id, "--json"]).await?;
    let children = told["runs"][0]["output"]["children"].as_array().context("children")?.clone();
    let came_to: Vec<_> = children
        .iter()
        .map(|child| {
            (
                child["kind"].as_str(),
                child["state"].as_str(),
                child["attempts"].as_u64(),
                child["output"]["counted"].as_u64(),
            )
        })
        .collect();
    let expected: Vec<_> =
        kinds.iter().map(|&kind| (Some(kind), Some("succeeded"), Some(2), Some(1))).collect();
    assert_eq!(came_to, expected);
    assert_eq!(node.drain().await?.status.code(), Some(0));
    Ok(())
}

on_both_databases!(a_family_of_all_languages_ends_behind_its_barrier);

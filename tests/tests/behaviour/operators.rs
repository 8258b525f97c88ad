//! What operators order and read by the command line.

use anyhow::Result;
use flyball_tests::process::Line;
use flyball_tests::{GENEROUS, Home, Node, eventually};
use serde_json::{Value, json};

use crate::worlds::{World, on_both_databases};

on_both_databases!(
    jobs_are_paused_resumed_and_cancelled_by_what_describes_them,
    an_order_for_every_job_must_be_meant,
    a_failed_job_is_found_and_replayed_by_the_command_line,
    jobs_are_reprioritised_rescheduled_and_deleted_by_the_command_line,
    a_queue_and_a_kind_are_paused_and_resumed_by_the_command_line,
    the_log_tells_how_the_queues_stand_as_often_as_it_is_asked,
);

async fn enqueue(home: &Home, arguments: &[&str]) -> Result<String> {
    Ok(home.call(&[&["enqueue"], arguments].concat()).await?.trim_end().to_owned())
}

async fn jobs_are_paused_resumed_and_cancelled_by_what_describes_them(world: World) -> Result<()> {
    let home = &world.home;
    let red = enqueue(home, &["paint", "--tag", "red"]).await?;
    let blue = enqueue(home, &["paint", "--tag", "blue"]).await?;
    let rehearsed: Value = home.ask(&["jobs", "pause", "--tag", "red", "--dry-run", "--json"]).await?;
    assert_eq!(rehearsed, json!({ "would_change": 1, "states": { "available": 1 } }));
    let listed: Value = home.ask(&["jobs", "list", "--state", "paused", "--json"]).await?;
    assert_eq!(listed, json!([]), "a rehearsal changes nothing");
    let paused: Value = home.ask(&["jobs", "pause", "--tag", "red", "--json"]).await?;
    assert_eq!((&paused["changed"], &paused["moved"]), (&json!(1), &json!({ "paused": 1 })));
    let listed: Value = home.ask(&["jobs", "list", "--state", "paused", "--json"]).await?;
    assert_eq!(listed[0]["id"], *red);
    let named = home.run(&["jobs", "resume", &red, &blue]).await?;
    assert_eq!(named.code, Some(1), "one of them was not paused");
    assert_eq!(named.stdout, format!("{red} available\n{blue} is not paused: available\n"));
    let cancelled = home.call(&["jobs", "cancel", "--kind", "paint"]).await?;
    assert_eq!(cancelled, "2 cancelled\n2 jobs were changed\n");
    let again = home.run(&["jobs", "cancel", &red, "--json"]).await?;
    let answers: Value = serde_json::from_str(&again.stdout)?;
    assert_eq!(answers, json!([{ "id": red, "answer": "left", "state": "cancelled" }]));
    let nobody = "019a0000-0000-7000-8000-000000000000";
    assert_eq!(home.run(&["jobs", "pause", nobody]).await?.code, Some(4));
    Ok(())
}

async fn an_order_for_every_job_must_be_meant(world: World) -> Result<()> {
    let home = &world.home;
    enqueue(home, &["paint"]).await?;
    let refused = home.run(&["jobs", "cancel"]).await?;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--all"), "{}", refused.stderr);
    let refused = home.run(&["jobs", "pause", "--state", "succeeded"]).await?;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("a pause does not move jobs that are succeeded"), "{}", refused.stderr);
    let meant = home.call(&["jobs", "cancel", "--all"]).await?;
    assert_eq!(meant, "1 cancelled\n1 jobs were changed\n");
    Ok(())
}

async fn a_failed_job_is_found_and_replayed_by_the_command_line(world: World) -> Result<()> {
    let world = world.with(&["echo"])?;
    let home = &world.home;
    let mut node = Node::serve(home, &[]).await?;
    let id =
        enqueue(home, &["echo", r#"{"fail": {"class": "permanent", "message": "out of paint"}}"#]).await?;
    let failure = eventually(GENEROUS, "the job to fail", async || {
        let failures: Value = home.ask(&["jobs", "failures", "--since", "1h", "--json"]).await?;
        anyhow::Ok(failures.get(0).cloned())
    })
    .await?;
    assert_eq!((&failure["job_id"], &failure["error_class"]), (&json!(id), &json!("permanent")));
    let run: Value =
        home.ask(&["runs", "show", failure["run_id"].as_str().unwrap_or_default(), "--json"]).await?;
    assert_eq!((&run["job_id"], &run["outcome"]), (&json!(id), &json!("error")));
    let nodes: Value = home.ask(&["nodes", "list", "--json"]).await?;
    assert_eq!(nodes[0]["id"], run["node_id"]);
    let status: Value = home.ask(&["status", "--json"]).await?;
    assert_eq!(status["queues"]["default"]["states"]["discarded"], 1, "{status}");
    node.drain().await?;
    let replayed: Value =
        home.ask(&["jobs", "replay", "--error-class", "permanent", "--stagger", "1h", "--json"]).await?;
    assert_eq!(replayed["moved"], json!({ "scheduled": 1 }));
    let shown: Value = home.ask(&["jobs", "show", &id, "--json"]).await?;
    assert_eq!(
        (&shown["state"], &shown["failures"], &shown["attempt"]),
        (&json!("scheduled"), &json!(0), &json!(1))
    );
    let unfinished: Value = home.ask(&["jobs", "list", "--unfinished", "--kind", "echo", "--json"]).await?;
    assert_eq!((&unfinished[0]["id"], &unfinished[0]["args"]), (&shown["id"], &shown["args"]));
    home.call(&["jobs", "cancel", &id]).await?;
    assert_eq!(home.call(&["jobs", "list", "--unfinished", "--json"]).await?, "[]\n");
    let none = home.call(&["jobs", "progress", &id]).await?;
    assert_eq!(none, "0 of 0 have ended, 0 have not\n");
    Ok(())
}

async fn jobs_are_reprioritised_rescheduled_and_deleted_by_the_command_line(world: World) -> Result<()> {
    let home = &world.home;
    let (red, blue) = (enqueue(home, &["paint"]).await?, enqueue(home, &["paint"]).await?);
    let told = home.call(&["jobs", "reprioritise", &red, "--priority", "7"]).await?;
    assert_eq!(told, format!("{red} available, priority 7\n"));
    let refused = home.run(&["jobs", "reprioritise", &red, "--priority", "40000"]).await?;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("a number from 0 to 32767"), "{}", refused.stderr);
    let rehearsed: Value =
        home.ask(&["jobs", "reschedule", "--kind", "paint", "--in", "1h", "--dry-run", "--json"]).await?;
    assert_eq!(rehearsed["would_change"], 2);
    let told = home.call(&["jobs", "reschedule", "--kind", "paint", "--at", "2d"]).await?;
    assert_eq!(told, "2 scheduled\n2 jobs were changed\n");
    let told = home.call(&["jobs", "reschedule", &blue, "--at", "2020-01-01T00:00:00Z"]).await?;
    assert_eq!(told, format!("{blue} available\n"), "a time that has passed is now");
    let neither = home.run(&["jobs", "reschedule", &blue]).await?;
    assert_eq!(neither.code, Some(2));
    let early = home.run(&["jobs", "delete", &blue]).await?;
    assert_eq!(
        (early.code, early.stdout),
        (Some(1), format!("{blue} has not ended: available; cancel it first\n"))
    );
    home.call(&["jobs", "cancel", "--kind", "paint"]).await?;
    assert_eq!(home.call(&["jobs", "delete", &blue]).await?, format!("{blue} deleted\n"));
    assert_eq!(home.run(&["jobs", "show", &blue]).await?.code, Some(4));
    let deleted: Value = home.ask(&["jobs", "delete", "--kind", "paint", "--json"]).await?;
    assert_eq!((&deleted["changed"], &deleted["deleted"]), (&json!(1), &json!(1)));
    let refused = home.run(&["jobs", "delete", "--state", "available"]).await?;
    assert_eq!(refused.code, Some(2));
    Ok(())
}

async fn a_queue_and_a_kind_are_paused_and_resumed_by_the_command_line(world: World) -> Result<()> {
    let world = world.with(&["echo", "noop"])?;
    let home = &world.home;
    let mut node = Node::serve(home, &[]).await?;
    assert_eq!(home.call(&["queues", "pause", "mail"]).await?, "queue mail paused\n");
    assert_eq!(home.call(&["queues", "pause", "mail"]).await?, "queue mail is paused already\n");
    assert_eq!(home.call(&["kinds", "pause", "noop"]).await?, "kind noop paused\n");
    let again: Value = home.ask(&["kinds", "pause", "noop", "--json"]).await?;
    assert_eq!(again, json!({ "kind": "noop", "answer": "as_it_was" }));
    let mail = enqueue(home, &["echo", "--queue", "mail"]).await?;
    let noop = enqueue(home, &["noop"]).await?;
    // A node that passes them over runs what comes after them.
    home.call(&["enqueue", "echo", "--wait"]).await?;
    let state = async |job: &str| {
        let shown: Value = home.ask(&["jobs", "show", job, "--json"]).await?;
        anyhow::Ok(shown["state"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!((state(&mail).await?.as_str(), state(&noop).await?.as_str()), ("available", "available"));
    let status: Value = home.ask(&["status", "--json"]).await?;
    assert_eq!(
        (&status["queues"]["mail"]["paused"], &status["queues"]["mail"]["ready"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(
        (&status["queues"]["default"]["paused"], &status["kinds_paused"]),
        (&json!(false), &json!(["noop"]))
    );
    let kinds: Vec<Value> = home.ask(&["kinds", "list", "--json"]).await?;
    let paused: Vec<_> = kinds.iter().map(|kind| (&kind["kind"], &kind["paused"])).collect();
    assert_eq!(paused, [(&json!("echo"), &json!(false)), (&json!("noop"), &json!(true))]);
    assert_eq!(
        home.call(&["queues", "resume", "mail", "default"]).await?,
        "queue mail resumed\nqueue default is not paused\n"
    );
    assert_eq!(home.call(&["kinds", "resume", "noop"]).await?, "kind noop resumed\n");
    for job in [mail, noop] {
        let done = async || anyhow::Ok(state(&job).await? == "succeeded");
        eventually(GENEROUS, "the job to run", done).await?;
    }
    node.drain().await?;
    Ok(())
}

async fn the_log_tells_how_the_queues_stand_as_often_as_it_is_asked(world: World) -> Result<()> {
    enqueue(&world.home, &["nobody-has-it"]).await?;
    let mut node = Node::serve(&world.home, &["--health-pulse", "1s"]).await?;
    let beat = |line: &Line| {
        let line = Value::Object(line.json()?);
        let text = line.to_string();
        text.contains("queue health").then_some(text)
    };
    let beat = node.log().wait_for(GENEROUS, "a pulse", beat).await?;
    assert!(beat.contains(r#""ready":1"#), "{beat}");
    node.drain().await?;
    Ok(())
}

//! A plugin comes, changes and goes.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use flyball::event::Event;
use flyball::job::{
    Budget, ChildRecord, InsertOpts, JobId, Json, Kind, LogRecord, NewJob, Overrides, Queue, RunId, Tries,
    Verdict,
};
use flyball::plugin::{Plugin, PluginState};
use flyball::sandbox::{Attempt, FollowUpRequest, GuestJob, Ports, Refusal, Stop, Unread};

use crate::rig::{Rig, component, place, varied};

/// Ports that nobody listens at.
struct Nowhere;

#[async_trait::async_trait]
impl Ports for Nowhere {
    fn holds_lease(&self) -> bool {
        true
    }
    fn follow_up(&self, _: FollowUpRequest) -> Result<NewJob, Refusal> {
        Err(Refusal::NotGranted("nothing is".into()))
    }
    fn progress(&self, _: f64, _: Option<&str>) {}
    fn save_checkpoint(&self, _: Arc<[u8]>) {}
    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(None)
    }
    async fn children(&self, _: u32, _: u32) -> Result<Vec<ChildRecord>, Unread> {
        Ok(Vec::new())
    }
    fn log(&self, _: &LogRecord) {}
}

/// Runs an attempt on a plugin, whether or not it still serves.
async fn run(rig: &Rig, plugin: &Plugin) -> Result<Verdict> {
    let clock = flyball::clock::Clock::system();
    let now = clock.now();
    let opts = InsertOpts::new(plugin.kind().clone(), "{}").admit(JobId::mint(now), now)?;
    let job = GuestJob {
        id: opts.id,
        run: RunId::mint(now),
        kind: opts.kind,
        queue: Queue::default(),
        args: opts.args,
        tries: Tries { attempt: 1, ..Tries::default() },
        max_attempts: 1,
        parent: None,
        created_at: now,
        scheduled_at: now,
        deadline: now.after(Duration::from_secs(60)),
        tags: Vec::new(),
        metadata: Json::empty_object(),
    };
    let attempt =
        Attempt { job, budget: Budget::default(), stop: Stop::new(clock), ports: Arc::new(Nowhere) };
    Ok(rig.sandbox.run(plugin.worker(), attempt).await.verdict)
}

#[tokio::test]
async fn a_component_that_is_dropped_serves_and_one_that_replaces_it_serves_next() -> Result<()> {
    let mut rig = Rig::new()?.watched();
    let (first, path) = (component("echo").await?, rig.folder().join("x.wasm"));
    place(&path, &first)?;
    let old = rig.until_serving("x", |_| true).await?;
    let loaded = rig.event().await?;
    assert!(matches!(&loaded, Event::PluginLoaded { digest, .. } if digest == old.digest()), "{loaded:?}");
    let status = rig.until("x.wasm", PluginState::Loaded).await?;
    assert_eq!((status.component_digest.as_deref(), status.reason), (Some(old.digest()), None));

    place(&path, &varied(&first, 1))?;
    let new = rig.until_serving("x", |plugin| plugin.digest() != old.digest()).await?;
    for plugin in [&old, &new] {
        let verdict = run(&rig, plugin).await?;
        assert!(matches!(verdict, Verdict::Completed(_)), "{verdict:?}");
    }

    fs::remove_file(&path)?;
    let kind = Kind::new("x")?;
    rig.plugins.catalog().wait_for(|catalog| catalog.get(&kind).is_none()).await?;
    assert!(matches!(rig.event().await?, Event::PluginLoaded { .. }));
    assert_eq!(rig.event().await?, Event::PluginRemoved { kind });
    let verdict = run(&rig, &new).await?;
    assert!(matches!(verdict, Verdict::Completed(_)), "an attempt holds what it began with: {verdict:?}");
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_cut_leaves_the_old_version_serving_and_says_why() -> Result<()> {
    let mut rig = Rig::new()?.watched();
    let (whole, path) = (component("echo").await?, rig.folder().join("x.wasm"));
    place(&path, &whole)?;
    let old = rig.until_serving("x", |_| true).await?;
    place(&path, &whole[..whole.len() / 2])?;
    let status = rig.until("x.wasm", PluginState::Refused).await?;
    insta::assert_snapshot!(cut_numbers(status.reason.as_deref().unwrap_or_default()), @"the file ends in the middle, after 9 bytes: is it still being written?");
    assert_eq!(status.component_digest.as_deref(), Some(old.digest()));
    assert!(matches!(rig.event().await?, Event::PluginLoaded { .. }));
    assert!(matches!(rig.event().await?, Event::PluginRefused { .. }));
    let verdict = run(&rig, &*rig.until_serving("x", |_| true).await?).await?;
    assert!(matches!(verdict, Verdict::Completed(_)), "{verdict:?}");
    // Whole again, under the same digest: nothing is left of the refusal.
    place(&path, &whole)?;
    let status = rig.until("x.wasm", PluginState::Loaded).await?;
    assert_eq!((status.reason, status.component_digest.as_deref()), (None, Some(old.digest())));
    Ok(())
}

fn cut_numbers(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect::<String>()
        .replace("99", "9")
        .replace("99", "9")
        .replace("99", "9")
}

#[tokio::test]
async fn a_changed_manifest_counts_without_a_compile_and_a_wrong_one_does_not() -> Result<()> {
    let rig = Rig::new()?.watched();
    place(&rig.folder().join("x.wasm"), &component("echo").await?)?;
    rig.until_serving("x", |_| true).await?;
    // A compile would leave its code here.
    fs::remove_dir_all(rig.cache())?;
    let manifest = rig.folder().join("x.toml");
    place(&manifest, b"[limits]\ntimeout = \"7s\"\n")?;
    let seven = |plugin: &Plugin| plugin.budget(&Overrides::default()).timeout == Duration::from_secs(7);
    rig.until_serving("x", seven).await?;
    place(&manifest, b"[limits]\ntimeout = \"2h\"\n")?;
    let status = rig.until("x.wasm", PluginState::Refused).await?;
    let reason = status.reason.unwrap_or_default().replace(&rig.folder().display().to_string(), "plugins");
    insta::assert_snapshot!(reason, @"plugins/x.toml, line 2, column 1: asks for 2h, more than the ceiling of 1h: lower it, or have the operator raise `timeout` under [ceilings] in flyball.toml");
    rig.until_serving("x", seven).await?;
    fs::remove_file(&manifest)?;
    rig.until_serving("x", |plugin| !seven(plugin)).await?;
    assert!(!rig.cache().exists(), "nothing was compiled");
    Ok(())
}

#[tokio::test]
async fn a_limit_below_what_the_worker_begins_with_is_refused_at_load_and_not_job_by_job() -> Result<()> {
    let rig = Rig::new()?.watched();
    let manifest = rig.folder().join("x.toml");
    place(&manifest, b"[limits]\nmemory = \"64KiB\"\n")?;
    place(&rig.folder().join("x.wasm"), &component("echo").await?)?;
    let reason = rig.until("x.wasm", PluginState::Refused).await?.reason.unwrap_or_default();
    assert!(reason.starts_with("it begins with ") && reason.contains("its jobs may have 64KiB"), "{reason}");
    assert!(reason.ends_with("set `memory` under [limits] in x.toml to more than that"), "{reason}");
    place(&manifest, b"[limits]\nmemory = \"32MiB\"\n")?;
    rig.until_serving("x", |_| true).await?;
    Ok(())
}

#[tokio::test]
async fn a_folder_that_comes_later_is_watched_and_one_that_goes_takes_its_plugins_with_it() -> Result<()> {
    let rig = Rig::new()?;
    fs::remove_dir(rig.folder())?;
    let rig = rig.watched();
    fs::create_dir(rig.folder())?;
    let echo = component("echo").await?;
    place(&rig.folder().join("x.wasm"), &echo)?;
    rig.until_serving("x", |_| true).await?;
    fs::remove_dir_all(rig.folder())?;
    rig.plugins.catalog().wait_for(|catalog| catalog.is_empty()).await?;
    fs::create_dir(rig.folder())?;
    place(&rig.folder().join("y.wasm"), &echo)?;
    rig.until_serving("y", |_| true).await?;
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_taken_once_and_whole() -> Result<()> {
    let mut rig = Rig::new()?.watched();
    let whole = component("echo").await?;
    let path = rig.folder().join("x.wasm");
    let mut statuses = rig.plugins.watch_statuses();
    for piece in whole.chunks(whole.len() / 4 + 1) {
        use std::io::Write as _;
        fs::File::options().create(true).append(true).open(&path)?.write_all(piece)?;
        // The service has seen this piece, and waits for more.
        let settling = |statuses: &Vec<_>| {
            statuses
                .first()
                .is_some_and(|status: &flyball::plugin::PluginStatus| status.state == PluginState::Settling)
        };
        statuses.wait_for(settling).await?;
    }
    rig.until_serving("x", |_| true).await?;
    loop {
        match rig.event().await? {
            Event::PluginLoaded { .. } => return Ok(()),
            // The machine may be slower than the pause that says that a writer is done.
            Event::PluginRefused { reason, .. } => assert!(reason.contains("ends"), "{reason}"),
            other => anyhow::bail!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn everything_in_the_folder_can_be_loaded_once_without_watching() -> Result<()> {
    let rig = Rig::new()?;
    place(&rig.folder().join("x.wasm"), &component("echo").await?)?;
    place(&rig.folder().join("y.wasm"), b"text")?;
    rig.plugins.load_all_once().await;
    let states: Vec<_> =
        rig.plugins.statuses().into_iter().map(|status| (status.file, status.state)).collect();
    let expected = [("x.wasm", PluginState::Loaded), ("y.wasm", PluginState::Refused)];
    assert_eq!(states, expected.map(|(file, state)| (file.to_owned(), state)));
    Ok(())
}

//! What is kept from one start to the next is believed only if nobody else could have written it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flyball::event::Event;
use flyball::plugin::{PluginState, Released};

use crate::rig::{Rig, component, place};

/// A component in outline, and none inside: it takes a compiler to find out.
const BROKEN: &[u8] = b"\0asm\x0d\0\x01\0\x07\x01\xff";

fn files(cache: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(cache)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(entries.into_iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect())
}

fn only(mut files: Vec<PathBuf>) -> Result<PathBuf> {
    let file = files.pop().context("no file")?;
    anyhow::ensure!(files.is_empty(), "more than one: {files:?}");
    Ok(file)
}

#[tokio::test]
async fn code_is_compiled_once_and_again_if_what_was_kept_of_it_was_cut_or_altered() -> Result<()> {
    let rig = Rig::new()?;
    place(&rig.folder().join("x.wasm"), &component("echo").await?)?;
    rig.plugins.load_all_once().await;
    let code = only(files(&rig.cache(), "code")?)?;
    let kept = fs::read(&code)?;
    let written = fs::metadata(&code)?.modified()?;
    assert_eq!(fs::metadata(&code)?.permissions().mode() & 0o777, 0o600);

    let home = rig.stopped()?;
    let code = home.path().join("cache").join(code.file_name().context("a name")?);
    let rig = Rig::at(home)?;
    rig.plugins.load_all_once().await;
    rig.until("x.wasm", PluginState::Loaded).await?;
    assert_eq!(fs::metadata(&code)?.modified()?, written, "it was compiled again");
    let mut home = rig.stopped()?;

    let mut altered = kept.clone();
    altered[kept.len() / 2] ^= 1;
    for spoilt in [&kept[..kept.len() / 2], &altered, b""] {
        fs::write(&code, spoilt)?;
        let rig = Rig::at(home)?;
        rig.plugins.load_all_once().await;
        rig.until("x.wasm", PluginState::Loaded).await?;
        assert_eq!(fs::read(&code)?.len(), kept.len(), "it was not written again");
        home = rig.stopped()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cache_folder_that_is_open_to_others_is_left_alone() -> Result<()> {
    let home = tempfile::tempdir()?;
    let cache = home.path().join("cache");
    fs::create_dir(home.path().join("plugins"))?;
    fs::create_dir(&cache)?;
    fs::set_permissions(&cache, Permissions::from_mode(0o777))?;
    let rig = Rig::at(home)?;
    place(&rig.folder().join("x.wasm"), &component("echo").await?)?;
    rig.plugins.load_all_once().await;
    rig.until("x.wasm", PluginState::Loaded).await?;
    assert_eq!(fs::read_dir(&cache)?.count(), 0, "nothing was written there");
    Ok(())
}

#[tokio::test]
async fn what_did_not_compile_is_not_compiled_again_until_it_changes_or_is_freed() -> Result<()> {
    let rig = Rig::new()?;
    let path = rig.folder().join("x.wasm");
    place(&path, BROKEN)?;
    let mut rig = rig.watched();
    let status = rig.until("x.wasm", PluginState::Refused).await?;
    let reason = status.reason.context("no reason")?;
    assert!(reason.contains("does not compile") && reason.contains("flyball plugins retry x"), "{reason}");
    let Event::PluginRefused { .. } = rig.event().await? else { anyhow::bail!("no refusal") };
    let quarantine = only(files(&rig.cache(), "refused")?)?;

    // Another process finds it there, and does not try.
    let mark = "marked, to know it again";
    fs::write(&quarantine, mark)?;
    let told = rig.plugins.inspect(&path).await.map(|_| ()).map_err(|error| error.to_string());
    assert!(told.as_ref().is_err_and(|reason| reason.contains(mark)), "{told:?}");

    // Freed by whomever, the node tries it again; it is as broken as before.
    assert_eq!(rig.plugins.release(&path)?, Released::Freed);
    let Event::PluginRefused { reason, .. } = rig.event().await? else { anyhow::bail!("no refusal") };
    assert!(reason.contains("does not compile") && !reason.contains(mark), "{reason}");
    assert!(quarantine.exists());

    place(&path, &component("echo").await?)?;
    rig.until_serving("x", |_| true).await?;
    Ok(())
}

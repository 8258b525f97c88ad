//! What is no plugin: each is refused with its reason, nothing hangs, and what is one serves beside it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::{Context as _, Result};
use flyball::plugin::PluginState;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::rig::{PATIENCE, Rig, component, place};

/// Puts all sorts of things into the folder; answers the files, each with a part of what is said about it.
fn litter(folder: &Path, whole: &[u8]) -> Result<Vec<(&'static str, &'static str)>> {
    let put = |name: &str, bytes: &[u8]| place(&folder.join(name), bytes);
    put("empty.wasm", b"")?;
    put("core.wasm", b"\0asm\x01\0\0\0")?;
    put("text.wasm", b"(component)")?;
    put("elf.wasm", b"\x7fELF\x02\x01\x01\0")?;
    put("random.wasm", &whole.iter().rev().copied().take(5000).collect::<Vec<_>>())?;
    put("cut.wasm", &whole[..whole.len() - 1])?;
    put("hollow.wasm", b"\0asm\x0d\0\x01\0")?;
    put("Not-A-Kind.wasm", whole)?;
    fs::File::create(folder.join("huge.wasm"))?.set_len((32 << 20) + 1)?;
    fs::create_dir(folder.join("folder.wasm"))?;
    fs::write(folder.join("folder.wasm/inner.wasm"), whole)?;
    mknodat(CWD, folder.join("pipe.wasm"), FileType::Fifo, Mode::from(0o600), 0)?;
    let _listener = UnixListener::bind(folder.join("socket.wasm"))?;
    symlink(folder.join("nothing"), folder.join("dangling.wasm"))?;
    symlink("/dev/zero", folder.join("device.wasm"))?;
    fs::write(folder.join(OsStr::from_bytes(b"\xff\xfe.wasm")), whole)?;
    put("lonely.toml", b"")?;
    put("x.wasm", whole)?;
    put("x.toml", b"")?;
    fs::create_dir(folder.join("manifest-is-folder.toml"))?;
    put("manifest-is-folder.wasm", whole)?;
    Ok(vec![
        ("empty.wasm", "the file is empty"),
        ("core.wasm", "wasm32-wasip2"),
        ("text.wasm", "wasm-tools parse"),
        ("elf.wasm", "never loaded"),
        ("random.wasm", "not WebAssembly"),
        ("cut.wasm", "ends in the middle"),
        ("hollow.wasm", "describe"),
        ("Not-A-Kind.wasm", "rename the file"),
        ("huge.wasm", "33554432 are allowed"),
        ("folder.wasm", "a directory"),
        ("pipe.wasm", "a named pipe"),
        ("socket.wasm", "a socket"),
        ("dangling.wasm", "link to nothing"),
        ("device.wasm", "leads out of the plugins folder"),
        ("\u{fffd}\u{fffd}.wasm", "not UTF-8"),
        ("lonely.toml", "no lonely.wasm"),
        ("manifest-is-folder.wasm", "a directory"),
    ])
}

#[tokio::test]
async fn rubbish_is_refused_each_with_its_reason_and_harms_nobody() -> Result<()> {
    let rig = Rig::new()?;
    let litter = litter(&rig.folder(), &component("echo").await?)?;
    let rig = rig.watched();
    rig.until_serving("x", |_| true).await?;
    for (file, expected) in &litter {
        let status = rig.until(file, PluginState::Refused).await?;
        let reason = status.reason.context("no reason")?;
        assert!(reason.contains(expected), "{file}: {reason}");
        assert_eq!(status.component_digest, None, "{file}");
    }
    let mut known: Vec<_> = litter.iter().map(|(file, _)| *file).chain(["x.wasm"]).collect();
    known.sort_unstable();
    let told: Vec<_> = rig.plugins.statuses().into_iter().map(|status| status.file).collect();
    assert_eq!(told, known, "every file is told once, and no other");
    Ok(())
}

#[tokio::test]
async fn a_plugin_that_becomes_something_else_is_not_opened_and_goes_on_serving() -> Result<()> {
    let rig = Rig::new()?.watched();
    let path = rig.folder().join("x.wasm");
    place(&path, &component("echo").await?)?;
    let old = rig.until_serving("x", |_| true).await?;
    fs::remove_file(&path)?;
    mknodat(CWD, &path, FileType::Fifo, Mode::from(0o600), 0)?;
    // Removed and made again between two looks it is a change, else a removal and an arrival: both are told alike.
    let status = rig.until("x.wasm", PluginState::Refused).await?;
    assert!(status.reason.is_some_and(|reason| reason.contains("a named pipe")));
    if let Some(digest) = status.component_digest {
        assert_eq!(digest, old.digest());
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_spins_when_asked_what_it_is_does_not_hold_up_the_others() -> Result<()> {
    let rig = Rig::new()?;
    place(&rig.folder().join("a.wasm"), &component("spin-in-describe").await?)?;
    place(&rig.folder().join("b.wasm"), &component("spin-at-start").await?)?;
    place(&rig.folder().join("x.wasm"), &component("echo").await?)?;
    let rig = rig.watched();
    rig.until_serving("x", |_| true).await?;
    for file in ["a.wasm", "b.wasm"] {
        let status = rig.until(file, PluginState::Refused).await?;
        println!("{file}: {}", status.reason.context("no reason")?);
    }
    tokio::time::timeout(PATIENCE, rig.plugins.load_all_once()).await?;
    Ok(())
}

//! Symbolic links: followed within the folder, and never out of it.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Context as _, Result};
use flyball::job::Overrides;
use flyball::plugin::{Plugin, PluginState};

use crate::rig::{Rig, component, place, varied};

#[tokio::test]
async fn a_link_out_of_the_folder_is_refused_and_nothing_of_what_it_leads_to_is_told() -> Result<()> {
    let rig = Rig::new()?;
    let echo = component("echo").await?;
    let secret = rig.home.path().join("secret");
    fs::write(&secret, "password-of-the-database = hunter2")?;
    place(&rig.folder().join("x.wasm"), &echo)?;
    symlink(&secret, rig.folder().join("x.toml"))?;
    let elsewhere = rig.home.path().join("elsewhere.wasm");
    fs::write(&elsewhere, &echo)?;
    symlink(&elsewhere, rig.folder().join("y.wasm"))?;
    // Out by a folder that is a link itself.
    symlink(rig.home.path(), rig.folder().join("way"))?;
    symlink("way/elsewhere.wasm", rig.folder().join("z.wasm"))?;
    let rig = rig.watched();
    for file in ["x.wasm", "y.wasm", "z.wasm"] {
        let reason = rig.until(file, PluginState::Refused).await?.reason.context("no reason")?;
        assert!(reason.contains("leads out of the plugins folder"), "{file}: {reason}");
        assert!(!reason.contains("password") && !reason.contains("hunter2"), "{file}: {reason}");
    }
    Ok(())
}

#[tokio::test]
async fn a_folder_as_kubernetes_mounts_it_serves_and_is_replaced_by_one_link() -> Result<()> {
    let rig = Rig::new()?;
    let (folder, echo) = (rig.folder(), component("echo").await?);
    let version = |name: &str, wasm: &[u8], timeout: &str| {
        fs::create_dir(folder.join(name))?;
        fs::write(folder.join(name).join("x.wasm"), wasm)?;
        fs::write(folder.join(name).join("x.toml"), format!("[limits]\ntimeout = \"{timeout}\"\n"))
    };
    version("..one", &echo, "7s")?;
    symlink("..one", folder.join("..data"))?;
    symlink("..data/x.wasm", folder.join("x.wasm"))?;
    symlink("..data/x.toml", folder.join("x.toml"))?;
    let rig = rig.watched();
    let timeout = |plugin: &Plugin| plugin.budget(&Overrides::default()).timeout.as_secs();
    let old = rig.until_serving("x", |plugin| timeout(plugin) == 7).await?;
    version("..two", &varied(&echo, 2), "8s")?;
    symlink("..two", folder.join("..new"))?;
    fs::rename(folder.join("..new"), folder.join("..data"))?;
    rig.until_serving("x", |plugin| timeout(plugin) == 8 && plugin.digest() != old.digest()).await?;
    Ok(())
}

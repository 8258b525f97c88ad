//! What is in the plugins folder, tried as a node would try it, and where compiled code is kept.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::finding::Finding;
use crate::clock::Clock;
use crate::config::Config;
use crate::event::Events;
use crate::plugin::{PluginState, PluginStatus, Plugins, PluginsConfig};
use crate::sandbox::{Sandbox, SandboxConfig};

/// Looks at the plugins folder and the cache folder.
pub(super) async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = plugins(config).await;
    findings.push(cache(config.plugins.cache.as_deref()));
    findings
}

async fn plugins(config: &Config) -> Vec<Finding> {
    let folder = config.plugins.folder.display();
    if !config.plugins.folder.is_dir() {
        let advice = "make it and copy workers into it, or name another with --plugins";
        return vec![Finding::warn("plugins", format!("there is no folder {folder}"), advice)];
    }
    let clock = Clock::system();
    let sandbox = SandboxConfig { slots: 1, ..config.sandbox.clone() };
    let sandbox = match Sandbox::start(sandbox, clock.clone()) {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let seen = format!("{:#}", anyhow::Error::from(error));
            return vec![Finding::fail("sandbox", seen, "no worker can run on this machine as it is")];
        }
    };
    // A folder for the cache is not made by looking.
    let cache = config.plugins.cache.clone().filter(|cache| cache.is_dir());
    let plugins = PluginsConfig { cache, ..config.plugins.clone() };
    let plugins = Plugins::open(plugins, sandbox, clock, Events::default());
    plugins.load_all_once().await;
    let statuses = plugins.statuses();
    if statuses.is_empty() {
        let advice = "`flyball new` writes a worker, `flyball build` puts it there";
        return vec![Finding::warn("plugins", format!("there is no worker in {folder}"), advice)];
    }
    statuses.iter().map(|status| judge(status, &config.plugins.folder)).collect()
}

fn judge(status: &PluginStatus, folder: &Path) -> Finding {
    let file = folder.join(&status.file).display().to_string();
    match status.state {
        PluginState::Loaded => {
            let digest = status.component_digest.as_deref().unwrap_or_default();
            Finding::ok("plugin", format!("{file} loads, sha256 {}", crate::job::cut(digest, 12)))
        }
        PluginState::Refused => {
            let reason = status.reason.as_deref().unwrap_or("no reason was given");
            Finding::fail(
                "plugin",
                format!("{file} is refused: {reason}"),
                "until it is repaired no node runs its jobs",
            )
        }
        PluginState::Settling | PluginState::Compiling => Finding::warn(
            "plugin",
            format!("{file} does not stop changing"),
            "is somebody writing it? look again later",
        ),
    }
}

fn cache(folder: Option<&Path>) -> Finding {
    let Some(folder) = folder else {
        let advice = "every start compiles every worker; set `cache` in flyball.toml";
        return Finding::warn("cache", "compiled code is not kept", advice);
    };
    let shown = folder.display();
    let Ok(found) = std::fs::metadata(folder) else {
        return Finding::ok("cache", format!("{shown}, made when it is needed"));
    };
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    match (ours, found.mode() & 0o077) {
        (true, 0) => Finding::ok("cache", format!("{shown}")),
        (true, _) => {
            let seen = format!("{shown} is open to others, so it is not used");
            Finding::warn("cache", seen, format!("chmod 700 {shown}"))
        }
        (false, _) => {
            let seen = format!("{shown} belongs to another user, so it is not used");
            Finding::warn("cache", seen, "name another with `cache` in flyball.toml")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::cli::doctor::finding::Health;

    #[test]
    fn a_cache_that_others_may_write_to_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |mode| std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).expect("set");
        mode(0o700);
        assert_eq!(cache(Some(folder.path())).health, Health::Ok);
        mode(0o755);
        assert_eq!(cache(Some(folder.path())).health, Health::Warn);
        assert_eq!(cache(Some(&folder.path().join("absent"))).health, Health::Ok);
        assert_eq!(cache(None).health, Health::Warn);
    }
}

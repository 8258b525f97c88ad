//! What the machine and the user's environment say without having been asked to configure anything.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for compiled code: the user's cache folder, if the user has one.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("flyball"))
}

/// The name of the machine.
pub(super) fn machine_name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let shell = || variable("HOSTNAME").and_then(|name| name.into_string().ok());
    let name = kernel.or_else(shell).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "node".into())
}

/// Variables that look as if they were meant for this program.
pub(super) fn variables_of_ours() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("FLYBALL_")).collect()
}

#[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

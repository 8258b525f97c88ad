//! From compiled code to something that can be started: what a component imports, exports and needs, checked in an
//! order that gives the clearest answer.

use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use super::bindings::{self, WorkerPre};
use super::engine::{Engines, MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};
use super::guest::Guest;
use super::log::harmless;
use super::{LoadError, SandboxConfig, SandboxError, Sandboxes, code, requests, share_of};
use crate::quantity::Bytes;

const WASM_PAGE: u64 = 64 << 10;

/// What this host offers: package, and the versions of it that fit.
const OFFERED: [(&str, &str); 8] = [
    ("flyball:worker", "0.1"),
    ("wasi:cli", "0.2"),
    ("wasi:clocks", "0.2"),
    ("wasi:filesystem", "0.2"),
    ("wasi:http", "0.2"),
    ("wasi:io", "0.2"),
    ("wasi:random", "0.2"),
    ("wasi:sockets", "0.2"),
];

/// All that any worker may import. What is not granted is denied when it is called.
pub(super) fn linker(engines: &Engines) -> Result<Linker<Guest>, SandboxError> {
    let mut linker = Linker::new(&engines.guests);
    let linked = wasmtime_wasi::p2::add_to_linker_async(&mut linker)
        .and_then(|()| wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker))
        .and_then(|()| requests::bound(&mut linker))
        .and_then(|()| {
            bindings::Worker::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest: &mut Guest| guest)
        });
    linked.map_err(|cause| SandboxError { doing: "linking the host's functions", cause: cause.into() })?;
    Ok(linker)
}

/// A component that can be started, and what it takes to do so.
pub(super) struct Linked {
    pub(super) pre: WorkerPre<Guest>,
    /// Bytes that its memories have at the start, at most.
    pub(super) initial_memory: u64,
}

/// Links compiled code.
pub(super) fn link(sandboxes: &Sandboxes, compiled: &[u8]) -> Result<Linked, LoadError> {
    let Engines { guests, inspector } = &sandboxes.engines;
    let stale = |error: wasmtime::Error| {
        LoadError::StaleCode(format!("the compiled code was not made for this engine: {}", told(&error)))
    };
    let component = code::load(inspector, compiled).map_err(stale)?;
    check_imports(&component, inspector)?;
    let initial_memory = check_needs(&component, &sandboxes.config)?;
    check_exports(&component, inspector)?;
    let too_big = |error: wasmtime::Error| {
        LoadError::Refused(format!("it needs more than a sandbox of this host has: {}", told(&error)))
    };
    let component = code::load(guests, compiled).map_err(too_big)?;
    let unlinked = |error: wasmtime::Error| {
        let misfit = "it does not fit what this host offers; was it built against another version?";
        LoadError::Refused(format!("{misfit} {}", told(&error)))
    };
    let pre = sandboxes.linker.instantiate_pre(&component).and_then(WorkerPre::new).map_err(unlinked)?;
    Ok(Linked { pre, initial_memory })
}

/// wasmtime's own words, bounded and harmless.
pub(super) fn told(error: &wasmtime::Error) -> String {
    harmless(&format!("{error:#}"), 2 << 10)
}

fn check_exports(component: &Component, engine: &Engine) -> Result<(), LoadError> {
    let ty = component.component_type();
    let names: Vec<_> = ty.exports(engine).map(|(name, _)| name).collect();
    let Some(missing) = ["describe", "run"].into_iter().find(|needed| !names.contains(needed)) else {
        return Ok(());
    };
    let advice = if names.iter().any(|name| name.starts_with("wasi:cli/run@")) {
        "it is a program: build it as a library (`crate-type = [\"cdylib\"]`) that exports the world flyball:worker/worker"
    } else {
        "a worker exports the world flyball:worker/worker"
    };
    let exported = match names.as_slice() {
        [] => "nothing".into(),
        names => harmless(&names.join(", "), 512),
    };
    Err(LoadError::Refused(format!("it has no function `{missing}`: {advice}; it exports {exported}")))
}

fn check_imports(component: &Component, engine: &Engine) -> Result<(), LoadError> {
    let ty = component.component_type();
    for (name, _) in ty.imports(engine) {
        let (package, version) = package_of(name);
        let name = harmless(name, 256);
        match OFFERED.iter().find(|(offered, _)| *offered == package) {
            None => {
                return Err(LoadError::Refused(format!(
                    "it imports {name}, which this host does not offer to anybody"
                )));
            }
            Some((_, fits)) if !fits_version(version, fits) => {
                return Err(LoadError::Refused(format!(
                    "it imports {name}; this host offers {package} {fits}.*: build it against that version"
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// `wasi:http/types@0.2.6` is of package `wasi:http`, version `0.2.6`.
fn package_of(name: &str) -> (&str, &str) {
    let (path, version) = name.split_once('@').unwrap_or((name, ""));
    (path.split_once('/').map_or(path, |(package, _)| package), version)
}

fn fits_version(version: &str, fits: &str) -> bool {
    version.strip_prefix(fits).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Answers the bytes that all memories have at the start, at most.
fn check_needs(component: &Component, config: &SandboxConfig) -> Result<u64, LoadError> {
    let Some(needs) = component.resources_required() else {
        return Err(LoadError::Refused("it imports core modules, which this host does not offer".into()));
    };
    let pages = needs.max_initial_memory_size.unwrap_or(0);
    let largest = pages.saturating_mul(WASM_PAGE);
    let elements = needs.max_initial_table_size.unwrap_or(0);
    let checks = [
        (u64::from(needs.num_memories), u64::from(MAX_MEMORIES), "memories"),
        (u64::from(needs.num_tables), u64::from(MAX_TABLES), "tables"),
        (largest, config.max_memory_bytes, "bytes of memory at its start"),
        (elements, u64::try_from(MAX_TABLE_ELEMENTS).unwrap_or(u64::MAX), "elements in a table"),
    ];
    if let Some((needed, most, what)) = checks.into_iter().find(|(needed, most, _)| needed > most) {
        return Err(LoadError::Refused(format!("it needs {needed} {what}; a worker may have {most}")));
    }
    if largest > share_of(config.guest_memory) {
        let (largest, shared) = (Bytes(largest), Bytes(config.guest_memory));
        return Err(LoadError::Refused(format!(
            "it begins with {largest} of memory, more than 80 % of the {shared} that all attempts of this node share: build it to begin with less, or have the operator raise `guest_memory` under [node] in flyball.toml"
        )));
    }
    Ok(largest.saturating_mul(u64::from(needs.num_memories)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_fits_by_package_and_version_without_its_last_part() {
        assert_eq!(package_of("wasi:http/types@0.2.6"), ("wasi:http", "0.2.6"));
        assert_eq!(package_of("run"), ("run", ""));
        assert!(fits_version("0.2.6", "0.2") && fits_version("0.2", "0.2"));
        assert!(!fits_version("0.20.1", "0.2") && !fits_version("0.3.0", "0.2") && !fits_version("", "0.2"));
    }
}

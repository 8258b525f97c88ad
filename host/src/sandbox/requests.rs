//! What a guest may make of an HTTP request before it is sent. A request is memory of the host that nobody counts, and
//! wasmtime keeps its texts whatever their length; so its functions get bounds here.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method, Scheme};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest as OutgoingRequest;
use wasmtime_wasi_http::{WasiHttpCtxView, WasiHttpView as _};

use super::guest::Guest;

const MAX_METHOD: usize = 64;
const MAX_SCHEME: usize = 64;
const MAX_AUTHORITY: usize = 512;
const MAX_PATH: usize = 8 << 10;
/// Under this version wasmtime links the interface in which a request is made.
const TYPES: &str = "wasi:http/types@0.2.12";

/// A request, and what a part of it is set to.
type Set<T> = (Resource<OutgoingRequest>, T);
type Answer = wasmtime::Result<(Result<(), ()>,)>;
type Store<'a> = StoreContextMut<'a, Guest>;

/// Takes the place of the functions that set a part of a request.
pub(super) fn bound(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap("[method]outgoing-request.set-method", set_method)?;
    types.func_wrap("[method]outgoing-request.set-scheme", set_scheme)?;
    types.func_wrap("[method]outgoing-request.set-authority", set_authority)?;
    types.func_wrap("[method]outgoing-request.set-path-with-query", set_path)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn set_method(store: Store<'_>, (request, method): Set<Method>) -> Answer {
    let length = match &method {
        Method::Other(name) => name.len(),
        _ => 0,
    };
    set(store, length, MAX_METHOD, |http| http.set_method(request, method))
}

fn set_scheme(store: Store<'_>, (request, scheme): Set<Option<Scheme>>) -> Answer {
    let length = match &scheme {
        Some(Scheme::Other(name)) => name.len(),
        Some(Scheme::Http | Scheme::Https) | None => 0,
    };
    set(store, length, MAX_SCHEME, |http| http.set_scheme(request, scheme))
}

fn set_authority(store: Store<'_>, (request, authority): Set<Option<String>>) -> Answer {
    let length = authority.as_ref().map_or(0, String::len);
    set(store, length, MAX_AUTHORITY, |http| http.set_authority(request, authority))
}

fn set_path(store: Store<'_>, (request, path): Set<Option<String>>) -> Answer {
    let length = path.as_ref().map_or(0, String::len);
    set(store, length, MAX_PATH, |http| http.set_path_with_query(request, path))
}

/// What is too long is refused like what is not valid.
fn set(
    mut store: Store<'_>,
    length: usize,
    most: usize,
    set: impl FnOnce(&mut WasiHttpCtxView<'_>) -> wasmtime::Result<Result<(), ()>>,
) -> Answer {
    if length > most {
        return Ok((Err(()),));
    }
    Ok((set(&mut store.data_mut().http())?,))
}

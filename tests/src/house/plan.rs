//! Which rooms the host has, and on which layer each stands.
//!
//! This is the one copy of the plan that a machine reads: a new module of the host gets its line here first.

/// A module directly in `host/src`: a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The module's name.
    pub name: &'static str,
    /// Its layer: it may use those of lower number.
    pub layer: u8,
}

/// All rooms of the host, from the ground up.
pub const ROOMS: &[Room] = &[
    room("job", 0),
    room("clock", 0),
    room("quantity", 0),
    room("event", 1),
    room("timing", 1),
    room("wake", 1),
    room("schema", 1),
    room("service", 1),
    room("store", 2),
    room("sandbox", 2),
    room("plugin", 3),
    room("client", 3),
    room("runner", 4),
    room("scheduler", 4),
    room("telemetry", 5),
    room("http", 5),
    room("config", 6),
    room("app", 7),
    room("cli", 8),
];

/// The files that stand above all rooms and may use every one.
pub const ROOF: &[&str] = &["lib.rs", "main.rs"];

/// Strangers that may meet all the same, one way, each with its reason.
const LET_THROUGH: &[(&str, &str, &str)] = &[
    ("clock", "job", "the time that it tells is job's own type of it"),
    ("quantity", "job", "moments are read into job's own type of them"),
];

/// Rooms that must not meet although their layers would let them.
const KEPT_APART: &[(&str, &str, &str)] =
    &[("http", "runner", "http answers from read-only views that app hands in; it never knows the runner")];

/// Crates that a room must not name, because of what the room is.
pub const BARRED_CRATES: &[(&str, &[&str])] = &[("job", &["axum", "sqlx", "tokio", "wasmtime"])];

const fn room(name: &'static str, layer: u8) -> Room {
    Room { name, layer }
}

/// The room of this name.
#[must_use]
pub fn find(name: &str) -> Option<Room> {
    ROOMS.iter().copied().find(|room| room.name == name)
}

/// Why `user` must not use `used`; nothing if it may.
#[must_use]
pub fn objection(user: Room, used: Room) -> Option<String> {
    let listed = |(from, to, _): &&(&str, &str, &str)| (*from, *to) == (user.name, used.name);
    if user == used || LET_THROUGH.iter().any(|pair| listed(&pair)) {
        return None;
    }
    if let Some((.., why)) = KEPT_APART.iter().find(listed) {
        return Some((*why).to_owned());
    }
    let (from, to) = (user.layer, used.layer);
    match from.cmp(&to) {
        std::cmp::Ordering::Greater => None,
        std::cmp::Ordering::Equal => Some(format!(
            "{} and {} share layer {to}: modules of one number are strangers",
            user.name, used.name
        )),
        std::cmp::Ordering::Less => Some(format!(
            "{} (layer {from}) uses {} (layer {to}), which stands above it",
            user.name, used.name
        )),
    }
}

//! One look at the plugins folder: which files are there, and what tells one version of a file from the next.
//!
//! Nothing is opened here. A symbolic link is followed to a regular file within the folder, and no further: what is said
//! about a file that does not parse shows parts of it, and whoever may put a link here may not read all that we may.
//! Links within the folder are how Kubernetes mounts a config map. Whatever else is no regular file is named with a
//! reason.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use crate::job::{Kind, cut, visible};

/// What tells one version of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// A name in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// A regular file.
    File(Stamp),
    /// Something that will not be opened, and why.
    Unfit(String),
}

/// The files of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// `<kind>.wasm`.
    pub(super) component: Seen,
    /// `<kind>.toml`.
    pub(super) manifest: Option<Seen>,
}

/// What one look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Kinds that have a component.
    pub(super) pairs: BTreeMap<Kind, Pair>,
    /// Files that can't become a plugin by their names, and why.
    pub(super) strays: BTreeMap<String, String>,
}

impl Stamp {
    pub(super) fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
        }
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    #[cfg(test)]
    pub(super) const fn made_up(version: u64) -> Self {
        Self { device: 1, inode: version, size: 1, modified: (0, 0) }
    }
}

/// Looks into the folder. One that is missing is empty.
pub(super) fn look(folder: &Path) -> io::Result<Look> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::default()),
        Err(error) => return Err(error),
    };
    let mut look = Look::default();
    let mut manifests = BTreeMap::new();
    for entry in entries {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else {
            stray_of_bytes(&mut look.strays, name.as_encoded_bytes());
            continue;
        };
        match (name.strip_suffix(".wasm"), name.strip_suffix(".toml")) {
            // Hidden files are how others write before they rename.
            _ if name.starts_with('.') => {}
            (Some(stem), _) => match Kind::new(stem) {
                Ok(kind) => {
                    let Some(component) = see(&folder.join(name)) else { continue };
                    look.pairs.insert(kind, Pair { component, manifest: None });
                }
                Err(error) => {
                    look.strays.insert(shown(name), format!("{error}; rename the file"));
                }
            },
            (None, Some(stem)) => {
                // Other tools have their `.toml` files too: only those that name a kind can be meant for us.
                let Ok(kind) = Kind::new(stem) else { continue };
                manifests.extend(see(&folder.join(name)).map(|seen| (kind, seen)));
            }
            (None, None) => {}
        }
    }
    for (kind, manifest) in manifests {
        match look.pairs.get_mut(&kind) {
            Some(pair) => pair.manifest = Some(manifest),
            None => {
                let reason =
                    format!("there is no {kind}.wasm beside it: the manifest has the name of its component");
                look.strays.insert(format!("{kind}.toml"), reason);
            }
        }
    }
    Ok(look)
}

/// What a path is; `None` if it went away since its name was read.
pub(super) fn see(path: &Path) -> Option<Seen> {
    match fs::symlink_metadata(path) {
        Ok(file) if file.is_symlink() => Some(see_through(path)),
        Ok(file) => Some(seen(&file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(failed(&error)),
    }
}

/// What a symbolic link leads to.
fn see_through(link: &Path) -> Seen {
    let parent = link.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let followed = fs::canonicalize(link).and_then(|end| Ok((fs::canonicalize(parent)?, end)));
    match followed {
        Ok((folder, end)) if end.starts_with(&folder) => match fs::symlink_metadata(&end) {
            Ok(file) => seen(&file),
            Err(error) => failed(&error),
        },
        Ok(_) => Seen::Unfit(
            "it is a symbolic link that leads out of the plugins folder; put the file itself there".into(),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Seen::Unfit("it is a symbolic link to nothing; put the file there, or remove the link".into())
        }
        Err(error) => failed(&error),
    }
}

fn seen(file: &Metadata) -> Seen {
    let kind = file.file_type();
    let what = if kind.is_file() {
        return Seen::File(Stamp::of(file));
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_symlink() {
        // Put there since another was followed.
        "a symbolic link"
    } else {
        "a device"
    };
    Seen::Unfit(format!("it is {what}, not a regular file; put the file itself there"))
}

fn failed(error: &io::Error) -> Seen {
    Seen::Unfit(format!("looking at it failed: {error}"))
}

fn stray_of_bytes(strays: &mut BTreeMap<String, String>, name: &[u8]) {
    if name.ends_with(b".wasm") {
        let shown = shown(&String::from_utf8_lossy(name));
        strays.insert(shown, "its name is not UTF-8, so it is no kind; rename the file".into());
    }
}

/// A stranger's file name, fit to be printed.
fn shown(name: &str) -> String {
    visible(cut(name, 255)).replace('\n', "\\n")
}

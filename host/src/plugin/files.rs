//! The files of one version of a plugin, read whole: a manifest that may stand, and a component with its digest. What no
//! worker could change about the manifest is refused here, before anything is compiled.

use std::path::Path;
use std::sync::Arc;

use super::cache::hex;
use super::folder::{Seen, Stamp};
use super::loader::{Request, Unloaded};
use super::read::{Unread, read_whole};
use super::terms::{Bounds, Terms, Wishes};
use super::{Document, Manifest};

/// The most bytes of a component.
const MAX_COMPONENT_BYTES: u64 = 32 << 20;
/// The most bytes of a manifest.
const MAX_MANIFEST_BYTES: u64 = 64 << 10;

/// What was read.
pub(super) struct Files {
    pub(super) component: Arc<Vec<u8>>,
    pub(super) digest: String,
    pub(super) manifest: Manifest,
}

impl Files {
    /// Reads the version that the request is about. Blocks.
    pub(super) fn read(request: &Request, bounds: &Bounds) -> Result<Self, Unloaded> {
        let Request { kind, folder, pair, old: _ } = request;
        let manifest = match &pair.manifest {
            Some(seen) => read_manifest(&folder.join(format!("{kind}.toml")), seen, bounds)?,
            None => Manifest::default(),
        };
        let component = match &pair.component {
            Seen::File(stamp) => read_file(&folder.join(format!("{kind}.wasm")), stamp, MAX_COMPONENT_BYTES)?,
            Seen::Unfit(reason) => return Err(Unloaded::Refused(reason.clone())),
        };
        let digest = hex(&component);
        Ok(Self { component: Arc::new(component), digest, manifest })
    }
}

fn read_manifest(path: &Path, seen: &Seen, bounds: &Bounds) -> Result<Manifest, Unloaded> {
    let shown = path.display().to_string();
    let stamp = match seen {
        Seen::File(stamp) => stamp,
        Seen::Unfit(reason) => return Err(Unloaded::Refused(format!("{shown}: {reason}"))),
    };
    let text = String::from_utf8(read_file(path, stamp, MAX_MANIFEST_BYTES)?)
        .map_err(|_| Unloaded::Refused(format!("{shown}: it is not UTF-8 text; write it as UTF-8")))?;
    let manifest = Manifest::parse(&shown, &text).map_err(|error| Unloaded::Refused(error.to_string()))?;
    // What no worker could change is told before anything is compiled.
    match Terms::resolve(&manifest.wishes(), &Wishes::default(), bounds) {
        Ok(_) => Ok(manifest),
        Err(excess) => {
            let error = Document::new(&shown, &text).error_at(excess.wanted.key(), &excess.to_string());
            Err(Unloaded::Refused(error.to_string()))
        }
    }
}

fn read_file(path: &Path, stamp: &Stamp, most: u64) -> Result<Vec<u8>, Unloaded> {
    let shown = path.display();
    if stamp.size() > most {
        let size = stamp.size();
        return Err(Unloaded::Refused(format!(
            "{shown} has {size} bytes, {most} are allowed: make it smaller"
        )));
    }
    read_whole(path, stamp).map_err(|unread| match unread {
        Unread::Changed => Unloaded::Changed,
        Unread::Failed(error) => Unloaded::Refused(format!("reading {shown} failed: {error}")),
    })
}

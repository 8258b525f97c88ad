//! What is kept from one start to the next: compiled code, by digest and engine, and which components did not compile.
//!
//! Compiled code is trusted wholly when it is loaded, so it lives in a [`Vault`], and begins with a digest of itself:
//! a file that was cut or altered is not used, and the component is compiled again.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::vault::Vault;

const MAGIC: &[u8] = b"flyball code 1\n";
const HEADER: usize = MAGIC.len() + 32;

/// Compiled code and quarantine, kept or not.
#[derive(Debug)]
pub(super) struct Cache {
    vault: Option<Vault>,
    /// Part of the name of compiled code: what this engine made, another can't use.
    engine: String,
}

impl Cache {
    /// Opens the folder; where that is refused, nothing is kept, and a warning says why.
    pub(super) fn open(folder: Option<&Path>, compatibility: &str) -> Self {
        let open = |folder| match Vault::open(folder) {
            Ok(vault) => Some(vault),
            Err(reason) => {
                tracing::warn!(reason, "compiled code is not cached");
                None
            }
        };
        let engine = hex(compatibility.as_bytes()).chars().take(16).collect();
        Self { vault: folder.and_then(open), engine }
    }

    /// The code that was compiled from the component with this digest, if it is there, whole and unaltered.
    pub(super) fn code(&self, digest: &str) -> Option<Vec<u8>> {
        let name = self.code_name(digest);
        let file = self.vault.as_ref()?.read(&name).unwrap_or_else(|error| {
            tracing::warn!(name, %error, "reading compiled code failed; it is compiled again");
            None
        })?;
        let code = unwrapped(&file);
        if code.is_none() {
            tracing::warn!(name, "a file of compiled code was cut or altered; it is compiled again");
        }
        code.map(<[u8]>::to_vec)
    }

    /// Keeps compiled code. Failing to is only a warning.
    pub(super) fn keep_code(&self, digest: &str, code: &[u8]) {
        let name = self.code_name(digest);
        self.keep(&name, &[MAGIC, &Sha256::digest(code), code]);
    }

    /// Forgets compiled code that turned out to be of no use.
    pub(super) fn forget_code(&self, digest: &str) {
        let name = self.code_name(digest);
        if let Some(Err(error)) = self.vault.as_ref().map(|vault| vault.remove(&name)) {
            tracing::warn!(name, %error, "removing compiled code failed");
        }
    }

    /// Why the component with this digest is in quarantine, if it is.
    pub(super) fn quarantined(&self, digest: &str) -> Option<String> {
        let reason = self.vault.as_ref()?.read(&quarantine_name(digest)).ok()??;
        Some(crate::job::cut(&String::from_utf8_lossy(&reason), crate::job::MAX_MESSAGE_BYTES).to_owned())
    }

    /// Puts a component that did not compile into quarantine; says whether that is kept.
    pub(super) fn quarantine(&self, digest: &str, reason: &str) -> Kept {
        self.keep(&quarantine_name(digest), &[reason.as_bytes()])
    }

    /// Lets a component be compiled again; says whether it was in quarantine.
    pub(super) fn release(&self, digest: &str) -> std::io::Result<bool> {
        self.vault.as_ref().map_or(Ok(false), |vault| vault.remove(&quarantine_name(digest)))
    }

    fn keep(&self, name: &str, parts: &[&[u8]]) -> Kept {
        let Some(vault) = &self.vault else { return Kept::No };
        match vault.write(name, parts) {
            Ok(()) => Kept::Yes,
            Err(error) => {
                tracing::warn!(name, folder = %vault.path().display(), %error, "writing to the cache failed");
                Kept::No
            }
        }
    }

    fn code_name(&self, digest: &str) -> String {
        format!("{digest}-{}.code", self.engine)
    }
}

/// Whether something outlives this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    Yes,
    No,
}

fn quarantine_name(digest: &str) -> String {
    format!("{digest}.refused")
}

fn unwrapped(file: &[u8]) -> Option<&[u8]> {
    let (header, code) = file.split_at_checked(HEADER)?;
    let (magic, digest) = header.split_at(MAGIC.len());
    (magic == MAGIC && digest == &Sha256::digest(code)[..]).then_some(code)
}

/// The SHA-256 of bytes, in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_was_cut_or_altered_anywhere_is_not_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cache");
        let cache = Cache::open(Some(&path), "engine one");
        cache.keep_code("d1", b"machine code");
        assert_eq!(cache.code("d1").as_deref(), Some(&b"machine code"[..]));
        assert_eq!(Cache::open(Some(&path), "engine two").code("d1"), None);
        let name = path.join(cache.code_name("d1"));
        let whole = std::fs::read(&name).expect("there");
        for cut in 0..whole.len() {
            std::fs::write(&name, &whole[..cut]).expect("cut");
            assert_eq!(cache.code("d1"), None, "cut at {cut}");
            let mut altered = whole.clone();
            altered[cut] ^= 1;
            std::fs::write(&name, altered).expect("altered");
            assert_eq!(cache.code("d1"), None, "altered at {cut}");
        }
    }

    #[test]
    fn a_quarantine_outlives_the_process_until_it_is_lifted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cache");
        assert_eq!(Cache::open(Some(&path), "e").quarantine("d1", "took too long"), Kept::Yes);
        let cache = Cache::open(Some(&path), "e");
        assert_eq!(cache.quarantined("d1").as_deref(), Some("took too long"));
        assert!(cache.release("d1").expect("lifted"));
        assert_eq!(cache.quarantined("d1"), None);
        assert_eq!(Cache::open(None, "e").quarantine("d1", "no folder"), Kept::No);
    }
}

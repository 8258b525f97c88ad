//! A directory that belongs to this user alone. What is kept in it is believed when it is read back, so nobody else
//! may be able to write there: owner and mode are checked on the open directory, and every name is resolved from it.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat};

/// The most bytes that are kept; the files that were written first go first.
const MAX_BYTES: u64 = 4 << 30;

/// The directory, held open.
#[derive(Debug)]
pub(super) struct Vault {
    dir: OwnedFd,
    path: PathBuf,
}

impl Vault {
    /// Opens the directory, or makes it. Refuses one that another user owns or may write to or read.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let failed = |error: io::Error| format!("opening the cache folder {shown} failed: {error}");
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        let stat = rustix::fs::fstat(&dir).map_err(|error| failed(error.into()))?;
        if !is_ours(&stat) {
            return Err(format!(
                "the cache folder {shown} belongs to another user: choose another with `cache`"
            ));
        }
        if stat.st_mode & 0o077 != 0 {
            let mode = stat.st_mode & 0o777;
            return Err(format!(
                "the cache folder {shown} is open to others (mode {mode:o}): chmod 700 {shown}"
            ));
        }
        Ok(Self { dir, path: path.to_owned() })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file's bytes; `None` if there is none, or one that somebody else may have written.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = match rustix::fs::openat(&self.dir, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&file)?;
        if !is_ours(&stat) || stat.st_mode & 0o022 != 0 || !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Writes a file whole: it is there as it is meant to be, or as it was.
    pub(super) fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let nth = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".{name}.{}.{nth}", std::process::id());
        let written = self.write_new(&temporary, parts).and_then(|()| {
            rustix::fs::renameat(&self.dir, &temporary, &self.dir, name)?;
            rustix::fs::fsync(&self.dir)?;
            self.prune(name)
        });
        if written.is_err() {
            let _ = self.remove(&temporary);
        }
        written
    }

    /// Removes a file; says whether there was one.
    pub(super) fn remove(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::unlinkat(&self.dir, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn write_new(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let mut file = File::from(rustix::fs::openat(&self.dir, name, flags, mode)?);
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()
    }

    fn prune(&self, newest: &str) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.dir)? {
            let name = entry?.file_name().to_owned();
            let Ok(stat) = rustix::fs::statat(&self.dir, &name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            if name.to_bytes() != newest.as_bytes()
                && rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file()
            {
                files.push(((stat.st_mtime, stat.st_mtime_nsec), size, name));
            }
        }
        files.sort_by_key(|(written, ..)| *written);
        let mut total: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, name) in files {
            if total <= MAX_BYTES {
                break;
            }
            rustix::fs::unlinkat(&self.dir, &name, AtFlags::empty())?;
            total -= size;
        }
        Ok(())
    }
}

fn is_ours(stat: &Stat) -> bool {
    stat.st_uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_was_written_is_read_back_and_only_its_owner_may() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/cache");
        let vault = Vault::open(&path).expect("made");
        vault.write("a", &[b"one", b"two"]).expect("written");
        assert_eq!(vault.read("a").expect("read").as_deref(), Some(&b"onetwo"[..]));
        assert_eq!(vault.read("b").expect("read"), None);
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("a"))), (0o700, 0o600));
        assert!(vault.remove("a").expect("removed") && !vault.remove("a").expect("gone"));
        assert_eq!(std::fs::read_dir(&path).expect("listed").count(), 0, "no temporary file is left");
    }

    #[test]
    fn a_folder_or_a_file_that_others_may_write_to_is_not_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(&folder.path().join("cache")).expect("made");
        vault.write("a", &[b"one"]).expect("written");
        let file = vault.path().join("a");
        std::fs::set_permissions(&file, Permissions::from_mode(0o666)).expect("opened up");
        assert_eq!(vault.read("a").expect("read"), None);
        std::os::unix::fs::symlink(&file, vault.path().join("link")).expect("linked");
        assert!(vault.read("link").is_err());
        std::fs::set_permissions(vault.path(), Permissions::from_mode(0o755)).expect("opened up");
        let refusal = Vault::open(vault.path()).expect_err("open to others");
        assert!(refusal.contains("mode 755") && refusal.contains("chmod 700"), "{refusal}");
    }
}

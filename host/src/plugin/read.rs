//! Reading a file whole, in the version that was seen.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::folder::Stamp;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// It is another version by now: look again.
    #[error("it changed meanwhile")]
    Changed,
    /// It can't be read.
    #[error("{0}")]
    Failed(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Changed } else { Self::Failed(error) }
    }
}

/// Reads the version of the file that has the stamp. Whatever stands there by now, opening it never blocks; and what a
/// link leads to by now has another stamp, unless it is the file that was seen.
pub(super) fn read_whole(path: &Path, stamp: &Stamp) -> Result<Vec<u8>, Unread> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?);
    if Stamp::of(&file.metadata()?) != *stamp {
        return Err(Unread::Changed);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size()).unwrap_or(0));
    // One more than there should be, to notice that it grew.
    file.by_ref().take(stamp.size() + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != stamp.size() || Stamp::of(&file.metadata()?) != *stamp {
        return Err(Unread::Changed);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::folder::{Seen, see};

    #[test]
    fn only_the_version_that_was_seen_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.wasm");
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        write("one");
        let Some(Seen::File(stamp)) = see(&path) else { panic!("no file") };
        assert_eq!(read_whole(&path, &stamp).expect("read"), b"one");
        write("another");
        assert!(matches!(read_whole(&path, &stamp), Err(Unread::Changed)));
        std::fs::remove_file(&path).expect("removed");
        assert!(matches!(read_whole(&path, &stamp), Err(Unread::Changed)));
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).expect("a pipe");
        assert!(
            matches!(read_whole(&path, &stamp), Err(Unread::Changed)),
            "a pipe is opened without waiting"
        );
    }
}

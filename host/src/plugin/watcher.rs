//! A wake from the file system when something in the folder may have changed. Only a wake: the truth is what a look
//! finds, and where the system has no such wakes, looks come more often.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// Watches one folder, which may come and go.
pub(super) struct FolderWatch {
    woken: Arc<Notify>,
    watching: Option<(Identity, RecommendedWatcher)>,
    /// The last failure, told once.
    failed: Option<String>,
}

/// Which folder it is: another one may take its name.
type Identity = (u64, u64);

impl FolderWatch {
    pub(super) fn new() -> Self {
        Self { woken: Arc::default(), watching: None, failed: None }
    }

    /// Watches the folder that has the name now, if there is one.
    pub(super) fn follow(&mut self, folder: &Path) {
        let identity = fs::metadata(folder).ok().map(|folder| (folder.dev(), folder.ino()));
        if identity == self.watching.as_ref().map(|(identity, _)| *identity) {
            return;
        }
        self.watching = None;
        let Some(identity) = identity else { return };
        match self.watch(folder) {
            Ok(watcher) => (self.watching, self.failed) = (Some((identity, watcher)), None),
            Err(error) => {
                let reason = error.to_string();
                if self.failed.as_ref() != Some(&reason) {
                    tracing::warn!(folder = %folder.display(), reason, "no wakes from the file system: looking often");
                    self.failed = Some(reason);
                }
            }
        }
    }

    /// Whether changes in the folder wake.
    pub(super) fn is_live(&self) -> bool {
        self.watching.is_some()
    }

    /// Waits for a wake; returns at once if one came since the last time.
    pub(super) async fn changed(&self) {
        self.woken.notified().await;
    }

    fn watch(&self, folder: &Path) -> notify::Result<RecommendedWatcher> {
        let woken = self.woken.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may mean that events were lost.
            if event.map_or(true, |event| is_change(event.kind)) {
                woken.notify_one();
            }
        })?;
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    }
}

/// Looking and reading raise events as well: without this, a look would wake the next.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    }
}

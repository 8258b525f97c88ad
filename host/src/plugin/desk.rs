//! Which files are taken, and when: the state of every file in the folder, moved by looks and by ends of loads. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::folder::{Look, Pair, Seen};
use super::{PluginState, PluginStatus};
use crate::clock::Boot;
use crate::job::Kind;

/// A file is taken when it looks the same after this long.
pub(super) const LOOKS_APART: Duration = Duration::from_millis(100);

/// Everything that is known of the folder.
#[derive(Debug, Default)]
pub(super) struct Desk {
    kinds: BTreeMap<Kind, Entry>,
    /// Kinds of which a version is being loaded, whether or not it is still in the folder. One load of each at a time:
    /// what is read for it stays in memory until it ends, which may take minutes.
    loading: BTreeSet<Kind>,
    strays: BTreeMap<String, String>,
    /// Those that were not there at the look before.
    new_strays: Vec<(String, String)>,
}

#[derive(Debug)]
struct Entry {
    /// As it looked last, and since when.
    seen: Pair,
    since: Boot,
    /// The version that was taken last.
    taken: Option<Pair>,
    stage: Stage,
    /// The digest of what is in service.
    serving: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Settling,
    /// The version seen last is to be loaded when the load of an older one has ended.
    Waiting,
    Loading,
    Loaded,
    Refused {
        reason: String,
        again: Again,
    },
}

/// When a refused version is tried again without having changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Never.
    Never,
    /// At a point in time: the node was too full.
    At(Boot),
    /// When the component with this digest is no longer in quarantine.
    Freed(String),
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Load this version.
    Load(Kind, Pair),
    /// Take the kind out of service.
    Remove(Kind),
    /// Tell that a file is refused without being read.
    Refuse(Kind, String),
}

impl Task {
    /// The kind of which it loads a version, if it does.
    fn loads(&self) -> Option<&Kind> {
        match self {
            Self::Load(kind, _) => Some(kind),
            Self::Remove(_) | Self::Refuse(..) => None,
        }
    }
}

/// Whether a version of a kind may be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It may.
    Free,
    /// Another version is being loaded.
    Taken,
}

/// How a load ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoadEnd {
    /// It made a plugin of the component with this digest.
    Loaded(String),
    /// The file had changed when it was read.
    Changed,
    /// It made none.
    Refused(String, Again),
}

/// Whether the end of a load still matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timely {
    /// The version that was loaded is the one in the folder.
    Yes,
    /// The folder has moved on; what was loaded is dropped.
    No,
}

impl Desk {
    /// Takes a look into account, and says what is to be done.
    pub(super) fn look(&mut self, look: Look, now: Boot) -> Vec<Task> {
        let gone: Vec<_> =
            self.kinds.keys().filter(|kind| !look.pairs.contains_key(*kind)).cloned().collect();
        let mut tasks: Vec<_> = gone.iter().filter_map(|kind| self.remove(kind)).collect();
        self.set_strays(look.strays);
        for (kind, pair) in look.pairs {
            let entry = self.kinds.entry(kind.clone()).or_insert_with(|| Entry::new(pair.clone(), now));
            entry.look(pair, now);
            let way = if self.loading.contains(&kind) { Way::Taken } else { Way::Free };
            tasks.extend(entry.take(kind, way, now));
        }
        self.loading.extend(tasks.iter().filter_map(Task::loads).cloned());
        tasks
    }

    /// Takes the end of a load into account.
    pub(super) fn end(&mut self, kind: &Kind, pair: &Pair, end: LoadEnd) -> Timely {
        self.loading.remove(kind);
        let Some(entry) = self.kinds.get_mut(kind) else { return Timely::No };
        if entry.taken.as_ref() != Some(pair) || entry.stage != Stage::Loading {
            return Timely::No;
        }
        match end {
            LoadEnd::Loaded(digest) => {
                entry.serving = Some(digest);
                entry.stage = Stage::Loaded;
            }
            LoadEnd::Changed => entry.settle_anew(),
            LoadEnd::Refused(reason, again) => entry.stage = Stage::Refused { reason, again },
        }
        Timely::Yes
    }

    /// The folder could not be looked at: everything stays as it is, and this is told.
    pub(super) fn trouble(&mut self, folder: String, reason: String) {
        self.set_strays([(folder, reason)].into());
    }

    /// What was found that can't be a plugin since this was asked last.
    pub(super) fn new_strays(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.new_strays)
    }

    /// Components whose quarantine is what stands in their way: kind and digest.
    pub(super) fn quarantined(&self) -> Vec<(Kind, String)> {
        let freed = |(kind, entry): (&Kind, &Entry)| match &entry.stage {
            Stage::Refused { again: Again::Freed(digest), .. } => Some((kind.clone(), digest.clone())),
            Stage::Refused { .. } | Stage::Settling | Stage::Waiting | Stage::Loading | Stage::Loaded => None,
        };
        self.kinds.iter().filter_map(freed).collect()
    }

    /// Has a kind loaded again at the next look.
    pub(super) fn retry(&mut self, kind: &Kind) {
        if let Some(entry) = self.kinds.get_mut(kind) {
            entry.settle_anew();
        }
    }

    /// Forgets the loads under way: whoever carried them out is gone.
    pub(super) fn forget_loads(&mut self) {
        self.loading.clear();
        self.kinds.values_mut().filter(|entry| entry.stage == Stage::Loading).for_each(Entry::settle_anew);
    }

    /// Whether some file is to be looked at again soon.
    pub(super) fn is_settling(&self) -> bool {
        self.kinds.values().any(|entry| entry.stage == Stage::Settling)
    }

    /// How every file stands, by name.
    pub(super) fn statuses(&self) -> Vec<PluginStatus> {
        let strays = self.strays.iter().map(|(file, reason)| PluginStatus {
            file: file.clone(),
            kind: None,
            state: PluginState::Refused,
            reason: Some(reason.clone()),
            component_digest: None,
        });
        let mut all: Vec<_> =
            self.kinds.iter().map(|(kind, entry)| entry.status(kind)).chain(strays).collect();
        all.sort_by(|a, b| a.file.cmp(&b.file));
        all
    }

    fn set_strays(&mut self, strays: BTreeMap<String, String>) {
        let new = strays.iter().filter(|(file, _)| !self.strays.contains_key(*file));
        self.new_strays.extend(new.map(|(file, reason)| (file.clone(), reason.clone())));
        self.strays = strays;
    }

    fn remove(&mut self, kind: &Kind) -> Option<Task> {
        let entry = self.kinds.remove(kind)?;
        entry.serving.map(|_| Task::Remove(kind.clone()))
    }
}

impl Entry {
    fn new(seen: Pair, since: Boot) -> Self {
        Self { seen, since, taken: None, stage: Stage::Settling, serving: None }
    }

    fn look(&mut self, pair: Pair, now: Boot) {
        if let Stage::Refused { again: Again::At(at), .. } = self.stage
            && at <= now
        {
            self.settle_anew();
        }
        if self.seen != pair {
            (self.seen, self.since) = (pair, now);
            self.stage = Stage::Settling;
        }
    }

    /// Takes the version that was seen last, if that is to be done now.
    fn take(&mut self, kind: Kind, way: Way, now: Boot) -> Option<Task> {
        let settled = self.stage == Stage::Settling && now.since(self.since) >= LOOKS_APART;
        if !settled && self.stage != Stage::Waiting {
            return None;
        }
        match (&self.seen.component, way) {
            (Seen::File(_), Way::Taken) => {
                self.stage = Stage::Waiting;
                None
            }
            (Seen::File(_), Way::Free) => {
                self.taken = Some(self.seen.clone());
                self.stage = Stage::Loading;
                Some(Task::Load(kind, self.seen.clone()))
            }
            (Seen::Unfit(reason), Way::Taken | Way::Free) => {
                self.taken = Some(self.seen.clone());
                self.stage = Stage::Refused { reason: reason.clone(), again: Again::Never };
                Some(Task::Refuse(kind, reason.clone()))
            }
        }
    }

    fn settle_anew(&mut self) {
        self.taken = None;
        self.stage = Stage::Settling;
    }

    fn status(&self, kind: &Kind) -> PluginStatus {
        let (state, reason) = match &self.stage {
            Stage::Settling => (PluginState::Settling, None),
            Stage::Waiting | Stage::Loading => (PluginState::Compiling, None),
            Stage::Loaded => (PluginState::Loaded, None),
            Stage::Refused { reason, .. } => (PluginState::Refused, Some(reason.clone())),
        };
        let file = format!("{kind}.wasm");
        PluginStatus { file, kind: Some(kind.clone()), state, reason, component_digest: self.serving.clone() }
    }
}

#[cfg(test)]
#[path = "desk_tests.rs"]
mod tests;

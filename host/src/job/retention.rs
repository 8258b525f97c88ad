//! How long what has ended is kept, by queue and state, and which walks through the tables that makes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{JobState, Queue, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long what jobs leave behind is kept; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Jobs that succeeded, from their end.
    pub succeeded: Option<Duration>,
    /// Jobs that were cancelled.
    pub cancelled: Option<Duration>,
    /// Jobs that were discarded.
    pub discarded: Option<Duration>,
    /// What attempts logged, from the start of the attempt.
    pub logs: Option<Duration>,
}

impl Default for Keep {
    fn default() -> Self {
        let (week, month) = (Some(7 * DAY), Some(30 * DAY));
        Self { succeeded: week, cancelled: month, discarded: month, logs: week }
    }
}

/// How long everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// In queues that are not named.
    pub keep: Keep,
    /// In queues that are.
    pub queues: BTreeMap<Queue, Keep>,
    /// What operators ordered: as long a repeated order is known for one.
    pub actions: Option<Duration>,
    /// Nodes that were lost or have left.
    pub nodes: Option<Duration>,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self { keep: Keep::default(), queues: BTreeMap::new(), actions: Some(30 * DAY), nodes: Some(7 * DAY) }
    }
}

impl Keep {
    /// Field by field what `of` makes of both.
    fn with(self, other: Self, of: Rule) -> Self {
        Self {
            succeeded: of(self.succeeded, other.succeeded),
            cancelled: of(self.cancelled, other.cancelled),
            discarded: of(self.discarded, other.discarded),
            logs: of(self.logs, other.logs),
        }
    }

    fn terms(&self) -> [(&'static str, Term); 4] {
        [
            ("succeeded", self.succeeded),
            ("cancelled", self.cancelled),
            ("discarded", self.discarded),
            ("logs", self.logs),
        ]
    }
}

/// So long, or for ever.
type Term = Option<Duration>;
/// What two terms come to.
type Rule = fn(Term, Term) -> Term;

/// What one walk deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remains {
    /// Jobs that succeeded, with their runs, logs and checkpoints.
    Succeeded,
    /// Jobs that were cancelled, with all of theirs.
    Cancelled,
    /// Jobs that were discarded, with all of theirs.
    Discarded,
    /// What attempts logged.
    Logs,
    /// What operators ordered.
    Actions,
    /// Nodes that are no more.
    Nodes,
}

impl Remains {
    /// The state of the jobs that it is about, if it is about jobs.
    pub const fn state(self) -> Option<JobState> {
        match self {
            Self::Succeeded => Some(JobState::Succeeded),
            Self::Cancelled => Some(JobState::Cancelled),
            Self::Discarded => Some(JobState::Discarded),
            Self::Logs | Self::Actions | Self::Nodes => None,
        }
    }
}

/// Queues that a walk is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueSet {
    /// This one.
    Only(Queue),
    /// All but these.
    Except(Vec<Queue>),
}

impl QueueSet {
    /// Whether the queue is one of them.
    pub fn has(&self, queue: &Queue) -> bool {
        match self {
            Self::Only(only) => only == queue,
            Self::Except(others) => !others.contains(queue),
        }
    }

    /// Whether it is every queue.
    pub fn is_every(&self) -> bool {
        matches!(self, Self::Except(others) if others.is_empty())
    }
}

/// One walk: what is deleted, in which queues, and how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Walk {
    /// What is deleted.
    pub remains: Remains,
    /// In these queues, if what is deleted has any.
    pub queues: QueueSet,
    /// How long it is kept.
    pub keep: Duration,
}

impl Walk {
    /// What is older than this goes.
    pub fn before(&self, now: Timestamp) -> Timestamp {
        now.before(self.keep)
    }
}

impl RetentionPolicy {
    /// The same age for everything: how an operator empties the tables by hand.
    pub fn older_than(age: Duration) -> Self {
        let age = Some(age);
        let keep = Keep { succeeded: age, cancelled: age, discarded: age, logs: age };
        Self { keep, queues: BTreeMap::new(), actions: age, nodes: age }
    }

    /// This one, but what either keeps for longer is kept for so long: of several that all must be content.
    #[must_use]
    pub fn longest(&self, other: &Self) -> Self {
        self.with(other, |own, others| Some(own?.max(others?)))
    }

    /// This one, but what the other keeps for ever stays for ever.
    #[must_use]
    pub fn sparing(&self, other: &Self) -> Self {
        self.with(other, |own, others| own.filter(|_| others.is_some()))
    }

    fn with(&self, other: &Self, of: Rule) -> Self {
        let named = self.queues.keys().chain(other.queues.keys());
        Self {
            keep: self.keep.with(other.keep, of),
            queues: named
                .map(|queue| (queue.clone(), self.keep_in(queue).with(other.keep_in(queue), of)))
                .collect(),
            actions: of(self.actions, other.actions),
            nodes: of(self.nodes, other.nodes),
        }
    }

    fn keep_in(&self, queue: &Queue) -> Keep {
        self.queues.get(queue).copied().unwrap_or(self.keep)
    }

    /// What the two keep for different times, by the keys of a file: `succeeded`, `queues.mail.logs`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let named: BTreeSet<&Queue> = self.queues.keys().chain(other.queues.keys()).collect();
        let (own, others) = (self.terms(&named), other.terms(&named));
        let different = own.into_iter().zip(others).filter(|(own, others)| own != others);
        different.map(|((key, _), _)| key).collect()
    }

    /// What it keeps for ever, by the keys of a file.
    pub fn for_ever(&self) -> Vec<String> {
        let terms = self.terms(&self.queues.keys().collect());
        terms.into_iter().filter(|(_, term)| term.is_none()).map(|(key, _)| key).collect()
    }

    fn terms(&self, queues: &BTreeSet<&Queue>) -> Vec<(String, Term)> {
        let own = self.keep.terms().into_iter().chain([("actions", self.actions), ("nodes", self.nodes)]);
        let mut terms: Vec<_> = own.map(|(key, term)| (key.to_owned(), term)).collect();
        for queue in queues {
            let keep = self.keep_in(queue).terms();
            terms.extend(keep.into_iter().map(|(key, term)| (format!("queues.{queue}.{key}"), term)));
        }
        terms
    }

    /// The walks that carry it out, jobs first: what their logs are is gone with them.
    pub fn walks(&self) -> Vec<Walk> {
        let mut walks = Vec::new();
        let others = QueueSet::Except(self.queues.keys().cloned().collect());
        let own = self.queues.iter().map(|(queue, keep)| (QueueSet::Only(queue.clone()), *keep));
        for (queues, keep) in std::iter::once((others, self.keep)).chain(own) {
            let ages = [
                (Remains::Succeeded, keep.succeeded),
                (Remains::Cancelled, keep.cancelled),
                (Remains::Discarded, keep.discarded),
                (Remains::Logs, keep.logs),
            ];
            for (remains, keep) in ages.into_iter().filter_map(|(what, keep)| Some((what, keep?))) {
                walks.push(Walk { remains, queues: queues.clone(), keep });
            }
        }
        for (remains, keep) in [(Remains::Actions, self.actions), (Remains::Nodes, self.nodes)] {
            walks.extend(keep.map(|keep| Walk { remains, queues: QueueSet::Except(Vec::new()), keep }));
        }
        walks.sort();
        walks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_is_named_has_walks_of_its_own_and_is_left_out_of_the_others() {
        let mail = Queue::new("mail").expect("a queue");
        let keep = Keep { succeeded: Some(DAY), discarded: None, ..Keep::default() };
        let policy = RetentionPolicy { queues: [(mail.clone(), keep)].into(), ..RetentionPolicy::default() };
        let walks = policy.walks();
        let of = |remains, queue: &Queue| {
            let mut has = walks.iter().filter(|walk| walk.remains == remains && walk.queues.has(queue));
            let first = has.next().map(|walk| walk.keep);
            assert_eq!(has.next(), None, "one walk deletes it");
            first
        };
        assert_eq!(of(Remains::Succeeded, &mail), Some(DAY));
        assert_eq!(of(Remains::Succeeded, &Queue::default()), Some(7 * DAY));
        assert_eq!(of(Remains::Discarded, &mail), None, "kept for ever");
        assert_eq!(of(Remains::Discarded, &Queue::default()), Some(30 * DAY));
        assert_eq!(of(Remains::Logs, &mail), Some(7 * DAY));
    }

    #[test]
    fn of_several_policies_the_longest_counts_by_queue_and_state_and_never_is_longest() {
        let [mail, audit] = ["mail", "audit"].map(|queue| Queue::new(queue).expect("a queue"));
        let host = RetentionPolicy::default();
        let mut one = host.clone();
        one.keep.succeeded = Some(30 * DAY);
        one.queues.insert(mail.clone(), Keep { discarded: None, ..one.keep });
        let mut two = host.clone();
        two.keep.logs = Some(DAY);
        two.actions = None;
        two.queues.insert(audit.clone(), Keep { succeeded: Some(DAY), logs: Some(90 * DAY), ..two.keep });
        let longest = one.longest(&two);
        assert_eq!(longest, two.longest(&one));
        assert_eq!(longest.longest(&one), longest, "all are content");
        assert_eq!(longest.keep, Keep { succeeded: Some(30 * DAY), ..host.keep });
        assert_eq!((longest.actions, longest.nodes), (None, host.nodes));
        let mail = longest.queues[&mail];
        assert_eq!((mail.succeeded, mail.discarded), (Some(30 * DAY), None));
        let audit = longest.queues[&audit];
        assert_eq!(
            (audit.succeeded, audit.logs),
            (Some(30 * DAY), Some(90 * DAY)),
            "by what the other says of all"
        );
    }

    #[test]
    fn an_age_for_everything_spares_what_is_kept_for_ever_and_nothing_else() {
        let mail = Queue::new("mail").expect("a queue");
        let mut policy = RetentionPolicy { nodes: None, ..RetentionPolicy::default() };
        policy.queues.insert(mail.clone(), Keep { succeeded: None, ..policy.keep });
        let age = Some(Duration::from_secs(60));
        let spared = RetentionPolicy::older_than(Duration::from_secs(60)).sparing(&policy);
        assert_eq!((spared.keep.succeeded, spared.actions, spared.nodes), (age, age, None));
        assert_eq!((spared.queues[&mail].succeeded, spared.queues[&mail].logs), (None, age));
        assert_eq!(spared.for_ever(), ["nodes", "queues.mail.succeeded"]);
    }

    #[test]
    fn differences_are_told_by_the_keys_of_a_file() {
        let mail = Queue::new("mail").expect("a queue");
        let one = RetentionPolicy::default();
        assert!(one.differences(&one).is_empty());
        let mut two = one.clone();
        two.keep.cancelled = None;
        two.queues.insert(mail, Keep { logs: Some(DAY), ..one.keep });
        assert_eq!(one.differences(&two), ["cancelled", "queues.mail.logs"]);
        assert_eq!(two.differences(&one), one.differences(&two));
    }

    #[test]
    fn jobs_go_before_logs_that_are_left() {
        let walks = RetentionPolicy::default().walks();
        let order: Vec<_> = walks.iter().map(|walk| walk.remains).collect();
        use Remains::{Actions, Cancelled, Discarded, Logs, Nodes, Succeeded};
        assert_eq!(order, [Succeeded, Cancelled, Discarded, Logs, Actions, Nodes]);
    }
}

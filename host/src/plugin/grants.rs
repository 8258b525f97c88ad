//! What a worker may do beyond computing. Nothing is granted by default but follow-ups of its own kind.

use super::manifest::EnqueueTable;
use crate::job::{ExecutorClass, Kind, Queue};

/// Follow-ups below this number would overtake ordinary jobs: that needs a grant.
const LOWEST_PRIORITY: u16 = 100;

/// What a kind was granted.
#[derive(Clone, Debug)]
pub struct Grants {
    kind: Kind,
    enqueue: EnqueueTable,
}

/// A follow-up that a worker wants, as far as grants are concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct EnqueueWish<'a> {
    /// Its kind.
    pub kind: &'a Kind,
    /// Its queue.
    pub queue: &'a Queue,
    /// Its executor class.
    pub class: &'a ExecutorClass,
    /// Its priority; lower runs first.
    pub priority: u16,
    /// The queue of the job that asks.
    pub own_queue: &'a Queue,
    /// The executor class of the job that asks.
    pub own_class: &'a ExecutorClass,
}

impl Grants {
    pub(super) fn new(kind: Kind, enqueue: EnqueueTable) -> Self {
        Self { kind, enqueue }
    }

    /// Whether the worker may ask for this follow-up: of its own kind, in the queue and class of its own job, not
    /// before ordinary jobs; anything else by `[grants.enqueue]`.
    ///
    /// # Errors
    /// The lines that would allow it, for whoever keeps the manifest.
    pub(super) fn allows_enqueue(&self, wish: &EnqueueWish<'_>) -> Result<(), String> {
        let EnqueueTable { kinds, queues, classes, lowest_priority } = &self.enqueue;
        let lowest = lowest_priority.unwrap_or(LOWEST_PRIORITY);
        let mut lines = Vec::new();
        if *wish.kind != self.kind && !kinds.contains(wish.kind) {
            lines.push(list("kinds", kinds, wish.kind));
        }
        if wish.queue != wish.own_queue && !queues.contains(wish.queue) {
            lines.push(list("queues", queues, wish.queue));
        }
        if wish.class != wish.own_class && !classes.contains(wish.class) {
            lines.push(list("classes", classes, wish.class));
        }
        if wish.priority < lowest {
            lines.push(format!("lowest_priority = {}", wish.priority));
        }
        if lines.is_empty() {
            return Ok(());
        }
        let lines = lines.join("\n");
        Err(format!("{}.toml would have to say\n[grants.enqueue]\n{lines}", self.kind))
    }

    /// What was granted, one line each.
    pub fn lines(&self) -> Vec<String> {
        let EnqueueTable { kinds, queues, classes, lowest_priority } = &self.enqueue;
        let kinds = kinds.iter().map(|kind| format!("enqueue:{kind}"));
        let queues = queues.iter().map(|queue| format!("enqueue into queue {queue}"));
        let classes = classes.iter().map(|class| format!("enqueue for class {class}"));
        let priority = lowest_priority.iter().map(|lowest| format!("enqueue with priority {lowest} or more"));
        kinds.chain(queues).chain(classes).chain(priority).collect()
    }

    /// Of what a worker says that it needs, what it was not granted. A need that is not understood counts as missing.
    pub fn missing<'n>(&self, needs: &'n [String]) -> Vec<&'n str> {
        let granted = |need: &&String| {
            let kind = need.strip_prefix("enqueue:");
            kind.is_some_and(|kind| self.kind.as_str() == kind || self.grants_kind(kind))
        };
        needs.iter().filter(|need| !granted(need)).map(String::as_str).collect()
    }

    fn grants_kind(&self, name: &str) -> bool {
        self.enqueue.kinds.iter().any(|kind| kind.as_str() == name)
    }
}

fn list(key: &str, granted: &[impl AsRef<str>], wanted: &impl AsRef<str>) -> String {
    let all: Vec<_> = granted.iter().map(AsRef::as_ref).chain([wanted.as_ref()]).collect();
    format!("{key} = {all:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> Kind {
        Kind::new(name).expect("valid")
    }

    fn asks(grants: &Grants, name: &str, queue: &str, class: &str, priority: u16) -> Result<(), String> {
        let (own_queue, own_class) = (Queue::default(), ExecutorClass::default());
        let (queue, class) = (Queue::new(queue).expect("valid"), ExecutorClass::new(class).expect("valid"));
        let kind = kind(name);
        let (own_queue, own_class) = (&own_queue, &own_class);
        grants.allows_enqueue(&EnqueueWish {
            kind: &kind,
            queue: &queue,
            class: &class,
            priority,
            own_queue,
            own_class,
        })
    }

    #[test]
    fn a_worker_may_always_ask_for_its_own_kind_in_its_own_queue() {
        let grants = Grants::new(kind("crawl"), EnqueueTable::default());
        assert_eq!(asks(&grants, "crawl", "default", "", 100), Ok(()));
        assert!(asks(&grants, "crawl", "default", "", 99).is_err());
    }

    #[test]
    fn a_refusal_says_which_lines_would_allow_it_and_they_do() {
        let table = EnqueueTable { kinds: vec![kind("report")], ..EnqueueTable::default() };
        let grants = Grants::new(kind("crawl"), table);
        let refusal = asks(&grants, "index", "slow", "gpu", 7).expect_err("not granted");
        insta::assert_snapshot!(refusal, @r#"
crawl.toml would have to say
[grants.enqueue]
kinds = ["report", "index"]
queues = ["slow"]
classes = ["gpu"]
lowest_priority = 7
"#);
        let lines = refusal.split_once('\n').expect("lines").1;
        let manifest = super::super::Manifest::parse("crawl.toml", lines).expect("a manifest");
        let grants = Grants::new(kind("crawl"), manifest.enqueue().clone());
        assert_eq!(asks(&grants, "index", "slow", "gpu", 7), Ok(()));
        assert_eq!(asks(&grants, "report", "default", "", 100), Ok(()));
    }

    #[test]
    fn a_need_that_was_not_granted_is_found() {
        let table = EnqueueTable { kinds: vec![kind("report")], ..EnqueueTable::default() };
        let grants = Grants::new(kind("crawl"), table);
        let needs = ["enqueue:report", "enqueue:mail", "http:https://x"].map(str::to_owned);
        assert_eq!(grants.missing(&needs), ["enqueue:mail", "http:https://x"]);
    }
}

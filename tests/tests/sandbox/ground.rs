//! Common ground of the tests of the sandbox: workers that are ready to run, attempts at jobs, and ports that remember.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use flyball::clock::Clock;
use flyball::job::{
    Budget, ChildRecord, ExecutorClass, InsertOpts, JobId, Json, Key, Kind, LogRecord, NewJob, Queue, RunId,
    Tag, Timestamp, Tries, When,
};
use flyball::sandbox::{
    Attempt, FollowUpRequest, GuestJob, Ports, Refusal, Sandbox, SandboxConfig, Stop, Unread, Worker,
};
use flyball_tests::guests;

/// The kind that all workers here are loaded as.
pub(crate) const KIND: &str = "tried";

/// A sandbox with workers in it. A panic in a test drops it like any other value.
pub(crate) struct Ground {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    workers: Mutex<HashMap<String, Worker>>,
}

impl Ground {
    pub(crate) fn new() -> Result<Self> {
        Self::with(SandboxConfig::default())
    }

    pub(crate) fn with(config: SandboxConfig) -> Result<Self> {
        let clock = Clock::system();
        let sandbox = Sandbox::start(config, clock.clone())?;
        Ok(Self { sandbox, clock, workers: Mutex::default() })
    }

    /// The worker that a guest of `tests/guests` or `plugins` becomes; loaded once.
    pub(crate) async fn worker(&self, guest: &str) -> Result<Worker> {
        if let Some(worker) = lock(&self.workers).get(guest) {
            return Ok(worker.clone());
        }
        let (wasm, code) = self.compiled(guest).await?;
        let worker = self.sandbox.prepare(kind()?, &wasm, &code, format!("digest of {guest}")).await;
        let worker = worker.with_context(|| format!("load {guest}"))?;
        lock(&self.workers).insert(guest.to_owned(), worker.clone());
        Ok(worker)
    }

    /// A guest's component, and what the compiler makes of it.
    pub(crate) async fn compiled(&self, guest: &str) -> Result<(Vec<u8>, Vec<u8>)> {
        let (sandbox, guest) = (self.sandbox.clone(), guest.to_owned());
        let built = move || {
            static TURN: Mutex<()> = Mutex::new(());
            let component = guests::find(&guest)?.component;
            let wasm = std::fs::read(&component)?;
            let kept = guests::foreign::compiled(&component, &sandbox.compatibility());
            // An interpreter is compiled for half a minute: what was built under a digest of its sources is kept.
            let _turn = lock(&TURN);
            let is_foreign = component.components().any(|part| part.as_os_str() == "foreign");
            if is_foreign && kept.is_file() {
                return Ok((wasm, std::fs::read(kept)?));
            }
            let code = sandbox.compile(&wasm)?;
            if is_foreign {
                let whole = tempfile::NamedTempFile::new_in(kept.parent().unwrap_or(&component))?;
                std::fs::write(whole.path(), &code)?;
                whole.persist(kept)?;
            }
            anyhow::Ok((wasm, code))
        };
        tokio::task::spawn_blocking(built).await?
    }

    /// An attempt at a job with these args, and who remembers what it asked for.
    pub(crate) fn attempt(&self, args: &str) -> Result<(Attempt, Arc<Memory>)> {
        let memory = Arc::new(Memory::default());
        let job = self.job(args)?;
        let stop = Stop::new(self.clock.clone());
        Ok((Attempt { job, budget: Budget::default(), stop, ports: memory.clone() }, memory))
    }

    fn job(&self, args: &str) -> Result<GuestJob> {
        let now = self.clock.now();
        Ok(GuestJob {
            id: JobId::mint(now),
            run: RunId::mint(now),
            kind: kind()?,
            queue: Queue::default(),
            args: Json::parse(args, flyball::job::MAX_ARGS_BYTES)?,
            tries: Tries { attempt: 1, ..Tries::default() },
            max_attempts: 25,
            parent: None,
            created_at: now,
            scheduled_at: now,
            deadline: now.after(Duration::from_secs(60)),
            tags: vec![Tag::new("tag")?],
            metadata: Json::empty_object(),
        })
    }
}

pub(crate) fn kind() -> Result<Kind> {
    Ok(Kind::new(KIND)?)
}

/// Ports that remember what went through them, and grant follow-ups of the own kind.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) lost_lease: AtomicBool,
    pub(crate) progress: Mutex<Vec<(f64, Option<String>)>>,
    pub(crate) lines: Mutex<Vec<LogRecord>>,
    pub(crate) checkpoint: Mutex<Option<Arc<[u8]>>>,
    pub(crate) children: Mutex<Vec<ChildRecord>>,
}

impl Memory {
    pub(crate) fn progress(&self) -> Vec<(f64, Option<String>)> {
        lock(&self.progress).clone()
    }

    pub(crate) fn lines(&self) -> Vec<LogRecord> {
        lock(&self.lines).clone()
    }
}

#[async_trait::async_trait]
impl Ports for Memory {
    fn holds_lease(&self) -> bool {
        !self.lost_lease.load(Ordering::Relaxed)
    }

    fn follow_up(&self, wish: FollowUpRequest) -> Result<NewJob, Refusal> {
        let invalid = |error: &dyn std::fmt::Display| Refusal::Invalid(error.to_string());
        let kind = Kind::new(&wish.kind).map_err(|error| invalid(&error))?;
        if kind.as_str() != KIND {
            return Err(Refusal::NotGranted(format!("the kind {kind}")));
        }
        let mut opts = InsertOpts::new(kind, wish.args);
        opts.priority = wish.priority.unwrap_or(opts.priority);
        opts.overrides.max_attempts = wish.max_attempts;
        opts.queue = wish
            .queue
            .map(|queue| Queue::new(&queue))
            .transpose()
            .map_err(|error| invalid(&error))?
            .unwrap_or_default();
        let class = wish.executor_class.map(|class| ExecutorClass::new(&class)).transpose();
        opts.executor_class = class.map_err(|error| invalid(&error))?.unwrap_or_default();
        opts.when = wish.delay.map_or(When::Now, When::In);
        let key =
            |key: Option<String>| key.map(|key| Key::new(&key)).transpose().map_err(|error| invalid(&error));
        (opts.unique_key, opts.unique_active_key) = (key(wish.unique_key)?, key(wish.unique_active_key)?);
        for tag in &wish.tags {
            opts.tags.push(Tag::new(tag).map_err(|error| invalid(&error))?);
        }
        opts.admit(JobId::mint(Timestamp::EPOCH), Timestamp::EPOCH).map_err(|error| invalid(&error))
    }

    fn progress(&self, fraction: f64, note: Option<&str>) {
        lock(&self.progress).push((fraction, note.map(str::to_owned)));
    }

    fn save_checkpoint(&self, data: Arc<[u8]>) {
        *lock(&self.checkpoint) = Some(data);
    }

    async fn checkpoint(&self) -> Result<Option<Arc<[u8]>>, Unread> {
        Ok(lock(&self.checkpoint).clone())
    }

    async fn children(&self, offset: u32, limit: u32) -> Result<Vec<ChildRecord>, Unread> {
        // Two at a time, so that a guest has to ask again.
        let (offset, limit) = (offset as usize, limit.min(2) as usize);
        Ok(lock(&self.children).iter().skip(offset).take(limit).cloned().collect())
    }

    fn log(&self, line: &LogRecord) {
        lock(&self.lines).push(line.clone());
    }
}

/// What a verdict completed with, as JSON.
pub(crate) fn output(verdict: &flyball::job::Verdict) -> Result<serde_json::Value> {
    match verdict {
        flyball::job::Verdict::Completed(completion) => {
            let output = completion.output.as_ref().context("no output")?;
            Ok(serde_json::from_str(output.as_str())?)
        }
        other => Err(anyhow!("not completed: {other:?}")),
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! `flyball run`: one worker, one job, no database.

mod alone;
mod ports;
mod told;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

pub(super) use alone::Alone;

use self::ports::{LonePorts, Talk};
use self::told::Told;
use super::enqueue::read_args;
use super::{Exit, Globals};
use crate::clock::Clock;
use crate::config::Config;
use crate::job::{
    Claim, Evidence, ExecutorClass, JobId, Json, Lineage, MAX_ARGS_BYTES, Overrides, Queue, RunId,
    Settlement, Tries, Verdict,
};
use crate::plugin::{Ceilings, Plugin};
use crate::quantity::{Bytes, Count, Span};
use crate::sandbox::{Attempt, GuestJob, Sandbox, SandboxConfig, Stop};

/// Run one job with a worker, without a database: to try a worker out.
///
/// The output goes to standard output, the log and what was used to standard error. Follow-ups are checked and told,
/// not enqueued. Exits with 1 if the attempt failed.
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// A kind in the plugins folder, or the file of a component.
    #[arg(value_name = "KIND|FILE.wasm")]
    worker: String,
    /// What the worker is given: JSON, `@FILE`, or `-` for standard input.
    #[arg(default_value = "{}")]
    args: String,
    /// Wall time, such as `30s`.
    #[arg(long, value_name = "TIME")]
    timeout: Option<Span>,
    /// Fuel, such as `5G`.
    #[arg(long, value_name = "N")]
    fuel: Option<Count>,
    /// Memory, such as `64MiB`.
    #[arg(long, value_name = "BYTES")]
    memory: Option<Bytes>,
    /// Print outcome, what was used, follow-ups and log as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let config = Config::load_common(globals)?;
        self.check(&config.plugins.ceilings)?;
        let args = Json::parse(&read_args(&self.args)?, MAX_ARGS_BYTES).context("the args")?;
        let alone = Alone::find(&self.worker, &config.plugins.folder)?;
        let clock = Clock::system();
        let sandbox = SandboxConfig { slots: 1, ..config.sandbox };
        let sandbox = Sandbox::start(sandbox, clock.clone())?;
        let plugin = alone.load(&config.plugins, &sandbox, &clock).await?;
        let claim = self.claim(&plugin, args, &clock);
        let told = Told::new(self.attempt(&plugin, claim, &sandbox, &clock).await);
        if self.json {
            writeln!(std::io::stdout(), "{}", serde_json::to_string(&told)?)?;
        } else {
            told.print()?;
        }
        Ok(if told.is_well() { Exit::Done } else { Exit::Failed })
    }

    /// What a node would cut to the ceilings in silence is refused here: whoever asks is there to hear it.
    fn check(&self, ceilings: &Ceilings) -> anyhow::Result<()> {
        let raise = "the operator's ceiling; raise it under [ceilings] in flyball.toml";
        if let Some(timeout) = self.timeout.filter(|Span(timeout)| *timeout > ceilings.timeout) {
            bail!("--timeout {timeout} is more than {}, {raise}", Span(ceilings.timeout));
        }
        if let Some(fuel) = self.fuel.filter(|Count(fuel)| *fuel > ceilings.fuel) {
            bail!("--fuel {fuel} is more than {}, {raise}", Count(ceilings.fuel));
        }
        if let Some(memory) = self.memory.filter(|Bytes(memory)| *memory > ceilings.memory_bytes) {
            bail!("--memory {memory} is more than {}, {raise}", Bytes(ceilings.memory_bytes));
        }
        Ok(())
    }

    /// The claim of a job that nobody enqueued.
    fn claim(&self, plugin: &Plugin, args: Json, clock: &Clock) -> Claim {
        let now = clock.now();
        let (timeout, fuel) = (self.timeout.map(|Span(timeout)| timeout), self.fuel.map(|Count(fuel)| fuel));
        Claim {
            run: RunId::mint(now),
            job: JobId::mint(now),
            kind: plugin.kind().clone(),
            queue: Queue::default(),
            executor_class: ExecutorClass::default(),
            args,
            priority: 100,
            tries: Tries { attempt: 1, ..Tries::default() },
            last_chance: false,
            on_discard: false,
            limited: false,
            checkpoint: false,
            overrides: Overrides { timeout, fuel, ..Overrides::default() },
            lineage: Lineage::default(),
            created_at: now,
            scheduled_at: now,
            deadline_at: now.after(Duration::from_secs(1)),
            tags: Vec::new(),
            metadata: Json::empty_object(),
        }
    }

    async fn attempt(
        &self,
        plugin: &Arc<Plugin>,
        claim: Claim,
        sandbox: &Sandbox,
        clock: &Clock,
    ) -> Settlement {
        let policy = plugin.retry(&claim.overrides);
        if let Err(failure) = plugin.check_args(&claim.args) {
            let component_digest = Some(plugin.digest().to_owned());
            let evidence = Evidence { component_digest, ..Evidence::default() };
            return claim.settle(Verdict::Failed(failure), evidence, &policy, clock.now());
        }
        let mut budget = plugin.budget(&claim.overrides);
        budget.memory_bytes = self.memory.map_or(budget.memory_bytes, |Bytes(bytes)| bytes);
        let talk = if self.json { Talk::Silent } else { Talk::Live };
        let attempt = Attempt {
            job: GuestJob::of(&claim, policy.max_attempts, claim.created_at.after(budget.timeout)),
            budget,
            stop: Stop::new(clock.clone()),
            ports: Arc::new(LonePorts::new(plugin.clone(), clock.clone(), &claim, talk)),
        };
        let ended = sandbox.run(plugin.worker(), attempt).await;
        claim.settle(ended.verdict, ended.evidence, &policy, clock.now())
    }
}

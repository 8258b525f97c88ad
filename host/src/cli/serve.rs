//! `flyball serve`.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::connect::schema_mode;
use super::{Exit, Globals};
use crate::app::{COMES_BACK_WITHIN, Node, NodeSettings, Stopped, Stopper};
use crate::clock::Clock;
use crate::config::{Config, ServeArgs};
use crate::quantity::Span;
use crate::store::{self, Database, OpenOptions, Role};
use crate::telemetry;

/// Run a node until it is told to stop. SIGTERM and Ctrl-C drain it: what runs is finished, what does not finish in
/// time goes back without charge. A second signal interrupts at once, a third ends the process as it is.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    args: ServeArgs,
    /// Stop when nothing is left to run: no job that this node would take is available or due, or comes back within this
    /// span from an attempt that ended [default span: 2m]
    #[arg(long, value_name = "SPAN", num_args = 0..=1, require_equals = true)]
    until_idle: Option<Option<Span>>,
}

impl Serve {
    pub(super) async fn run(self, globals: &Globals) -> anyhow::Result<Exit> {
        let config = Config::load(globals, &self.args)?;
        telemetry::start_logging(&config.log).map_err(anyhow::Error::msg)?;
        let clock = match store::database_of(&config.database)? {
            Database::Sqlite => Clock::system(),
            Database::Postgres => Clock::anchored(),
        };
        let store = store::open(&config.database, &options(&config, &clock)?).await?;
        let settings = NodeSettings {
            node: config.node.clone(),
            sandbox: config.sandbox.clone(),
            plugins: config.plugins.clone(),
            schedules: config.schedules.clone(),
            limits: config.limits.clone(),
            retention: config.retention.clone(),
            listen: config.listen,
        };
        for remark in &config.remarks {
            tracing::warn!("{remark}");
        }
        let node = Node::start(settings, store).await?;
        let listening = node.address().map(tracing::field::display);
        tracing::info!(node = %config.node.name, listening, plugins = %config.plugins.folder.display(), "serving");
        tokio::spawn(heed_signals(node.stopper()).context_logged());
        let stopped = match self.until_idle {
            None => node.run().await,
            Some(span) => node.run_until_idle_within(span.map_or(COMES_BACK_WITHIN, |Span(span)| span)).await,
        };
        Ok(match stopped {
            Stopped::Clean => Exit::Done,
            Stopped::Interrupted(attempts) => {
                tracing::warn!(attempts, "stopped; attempts were interrupted and given back");
                Exit::IncompleteDrain
            }
            Stopped::Unstored(attempts) => {
                tracing::error!(attempts, "stopped; outcomes could not be stored");
                Exit::IncompleteDrain
            }
            Stopped::Died(service) => {
                tracing::error!(service, "stopped, because an essential service was dead");
                Exit::Failed
            }
        })
    }
}

fn options(config: &Config, clock: &Clock) -> store::Result<OpenOptions> {
    Ok(OpenOptions {
        role: Role::Serve { name: config.node.name.clone() },
        schema: schema_mode(store::database_of(&config.database)?),
        lease: config.node.lease,
        synchronous: config.synchronous,
        ..OpenOptions::new(clock.clone())
    })
}

async fn heed_signals(stopper: Stopper) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut next = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    next().await;
    stopper.drain();
    next().await;
    tracing::warn!("a second signal: interrupting what runs");
    stopper.interrupt();
    next().await;
    tracing::error!("a third signal: leaving everything as it is; what runs is taken back as lost");
    std::process::exit(Exit::IncompleteDrain.code().into())
}

trait ContextLogged {
    /// Runs to the end; an error is logged, as nobody waits for it.
    fn context_logged(self) -> impl Future<Output = ()> + Send;
}

impl<F: Future<Output = anyhow::Result<()>> + Send> ContextLogged for F {
    async fn context_logged(self) {
        if let Err(error) = self.await {
            tracing::error!(error = format!("{error:#}"), "signals are not heeded");
        }
    }
}

//! `flyball jobs retry`, `cancel`, `pause`, `resume`, `replay`, `reprioritise`, `reschedule`, `delete`: for jobs that are named, or for all that are described.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::choice::Choice;
use super::told::{Changed, told};
use crate::cli::Exit;
use crate::client::{Client, ClientError};
use crate::job::{ActionId, Barriers, Due, Force, JobId, JobState, Operation, Priority, Replay};
use crate::quantity::{Moment, Span};
use crate::store::{KeyTaken, Scope, Selection, Tally};

/// Which jobs to change. Named by their ids, each is answered for; described, they are counted.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Change {
    /// The jobs.
    ids: Vec<JobId>,
    #[command(flatten)]
    choice: Choice,
    /// Every job is meant, if nothing else says which.
    #[arg(long)]
    all: bool,
    /// Change nothing; say how many jobs of which state it would be.
    #[arg(long)]
    dry_run: bool,
    /// The id of the order, a UUID of version 7: under the same one, an order that was interrupted goes on, and none is
    /// carried out twice.
    #[arg(long, value_name = "ID")]
    action: Option<ActionId>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// A cancel, and what becomes of barriers.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Cancel {
    #[command(flatten)]
    change: Change,
    /// With --parent: let the barrier of the parent fire when its last child has ended, instead of dropping it.
    #[arg(long, requires = "parent")]
    fire_barrier: bool,
}

/// A replay, and how it is done.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReplayArgs {
    #[command(flatten)]
    change: Change,
    /// Run jobs again that succeeded, too.
    #[arg(long)]
    force: bool,
    /// Spread their starts over this time, such as `10m`.
    #[arg(long, value_name = "SPAN")]
    stagger: Option<Span>,
}

/// Another place in the lane.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Reprioritise {
    #[command(flatten)]
    change: Change,
    /// 0 to 32767; lower runs first.
    #[arg(long, value_name = "N")]
    priority: Priority,
}

/// Another time.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Reschedule {
    #[command(flatten)]
    change: Change,
    /// When they are due: RFC 3339, or so long from now as `5m` or `2d`. At once, if it has passed.
    #[arg(long, value_name = "TIME", required_unless_present = "delay")]
    at: Option<Moment>,
    /// After which time they are due, such as `5m`, counted from when they are changed.
    #[arg(long = "in", id = "delay", value_name = "SPAN", conflicts_with = "at")]
    delay: Option<Span>,
}

impl Reprioritise {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        self.change.run(client, Operation::Reprioritise(self.priority)).await
    }
}

impl Reschedule {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let delay = self.delay.map_or(Duration::ZERO, |Span(delay)| delay);
        let due = match self.at {
            Some(Moment::At(at)) => Due::At(at),
            Some(Moment::Away(delay)) => Due::In(delay),
            None => Due::In(delay),
        };
        self.change.run(client, Operation::Reschedule(due)).await
    }
}

impl Cancel {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let barriers = if self.fire_barrier { Barriers::Fire } else { Barriers::Drop };
        self.change.run(client, Operation::Cancel(barriers)).await
    }
}

impl ReplayArgs {
    pub(super) async fn run(self, client: &Client) -> anyhow::Result<Exit> {
        let force = if self.force { Force::Succeeded } else { Force::Never };
        let stagger = self.stagger.map(|Span(stagger)| stagger);
        self.change.run(client, Operation::Replay(Replay { force, stagger })).await
    }
}

/// What a dry run found.
#[derive(Serialize)]
struct Found {
    would_change: u64,
    states: BTreeMap<JobState, u64>,
}

/// What an order came to.
#[derive(Serialize)]
struct Done<'a> {
    action_id: ActionId,
    changed: u64,
    #[serde(flatten)]
    tally: &'a Tally,
}

impl Change {
    pub(super) async fn run(self, client: &Client, operation: Operation) -> anyhow::Result<Exit> {
        let now = client.clock().now();
        let selection = self.choice.clone().selection(self.ids.clone(), now);
        let action = self.action.unwrap_or_else(|| ActionId::mint(now));
        let named = !self.ids.is_empty() && selection == Selection::ids(self.ids.clone());
        let done = if self.dry_run {
            self.rehearse(client, operation, &selection).await
        } else if named {
            self.answer(client, operation, action).await
        } else {
            self.carry_out(client, operation, action, &selection).await
        };
        match done {
            Ok(exit) => Ok(exit),
            Err(ClientError::Selection(error)) => {
                eprintln!("error: {error}");
                Ok(Exit::Usage)
            }
            Err(ClientError::Interrupted { done, action, source }) => {
                eprintln!("error: {source}");
                eprintln!(
                    "{} jobs were changed before that; --action {action} goes on from there",
                    done.changed()
                );
                Ok(Exit::Failed)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn scope(&self) -> Scope {
        if self.all { Scope::Everything } else { Scope::Restricted }
    }

    async fn rehearse(
        &self,
        client: &Client,
        operation: Operation,
        selection: &Selection,
    ) -> Result<Exit, ClientError> {
        let states = client.survey(operation, selection, self.scope()).await?;
        let moved = states.iter().filter(|(state, _)| operation.moves(**state)).map(|(_, count)| count);
        let found = Found { would_change: moved.sum(), states };
        if self.json {
            say!("{}", serde_json::to_string(&found).unwrap_or_default());
            return Ok(Exit::Done);
        }
        for (state, count) in &found.states {
            let left = if operation.moves(*state) { "" } else { ", which would be left alone" };
            say!("{count} {state}{left}");
        }
        say!("{} jobs would be changed; nothing was", found.would_change);
        Ok(Exit::Done)
    }

    /// One line for each job, in order; the exit code is that of the first that could not be changed.
    async fn answer(
        &self,
        client: &Client,
        operation: Operation,
        action: ActionId,
    ) -> Result<Exit, ClientError> {
        let answers = client.operate_as(action, operation, &self.ids).await?;
        let changed: Vec<_> =
            self.ids.iter().zip(&answers).map(|(id, answer)| Changed::new(*id, *answer)).collect();
        if self.json {
            say!("{}", serde_json::to_string(&changed).unwrap_or_default());
        }
        let mut worst = Exit::Done;
        for Changed { id, answer } in changed {
            let (exit, words) = told(operation, answer);
            if !self.json {
                say!("{id} {words}");
            }
            worst = if worst == Exit::Done { exit } else { worst };
        }
        Ok(worst)
    }

    async fn carry_out(
        &self,
        client: &Client,
        operation: Operation,
        action: ActionId,
        selection: &Selection,
    ) -> Result<Exit, ClientError> {
        let tally = client.operate_all_as(action, operation, selection, self.scope()).await?;
        if self.json {
            let done = Done { action_id: action, changed: tally.changed(), tally: &tally };
            say!("{}", serde_json::to_string(&done).unwrap_or_default());
            return Ok(Exit::Done);
        }
        for (state, count) in &tally.moved {
            say!("{count} {state}");
        }
        if tally.requested > 0 {
            say!("{} run now: their nodes were told", tally.requested);
        }
        if tally.deleted > 0 {
            say!("{} deleted", tally.deleted);
        }
        for (state, count) in &tally.left {
            say!("{count} left alone: {state}");
        }
        for (need, count) in &tally.needed {
            say!("{count} left alone, still needed: {need}");
        }
        for KeyTaken { id, holder } in &tally.keys_taken {
            say!("{id} left alone: its active key is held by job {holder}");
        }
        say!("{} jobs were changed", tally.changed());
        Ok(Exit::Done)
    }
}

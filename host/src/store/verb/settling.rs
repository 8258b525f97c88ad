//! Ends of attempts in the form that the settle statements take: those that an owner hands in, and those that a sweep,
//! a start or a renewal decides.

use std::collections::HashMap;

use crate::job::{
    JobId, JobState, Kind, LogRecord, LossSettlement, Outcome, Queue, RunId, SettledBy, Settlement,
    Timestamp, Transition, Tries,
};
use crate::store::batch::{Fields, Wire, join};
use crate::store::dialect::{Dialect, Outcome as Done, Session, Settling};
use crate::store::value::Row;
use crate::store::{Reclaimed, Result};

/// An owner's settlement.
pub(super) fn settlement(wire: Wire, settlement: &Settlement) -> String {
    let Settlement { run, job, transition, tries, end, log, .. } = settlement;
    wire.item(|fields| {
        moved(fields, *job, *run, *transition, tries);
        fields.text("outcome", end.outcome.unwrap_or(Outcome::Error).as_str());
        fields.opt_text("error_class", end.error_class.map(|class| class.as_str()));
        fields.opt_text("error_message", end.error_message.as_ref());
        fields.opt_text("error_detail", end.error_detail.as_ref());
        fields.opt_text("output", end.output.as_ref().map(|output| output.as_str()));
        fields.number("cost_micros", end.cost_micros);
        fields.number("duration_ms", end.duration.as_millis());
        fields.opt_text("digest", end.component_digest.as_ref());
        fields.number("fuel_used", end.meter.fuel_used);
        fields.number("cpu_us", end.meter.cpu_us);
        fields.number("peak_memory_bytes", end.meter.peak_memory_bytes);
        fields.number("http_requests", end.meter.http_requests);
        fields.number("http_bytes", end.meter.http_bytes);
        fields.number("log_bytes", end.meter.log_bytes);
        fields.number("log_dropped", end.meter.log_dropped);
        if !log.is_empty() {
            fields.json("log", &format!("[{}]", lines(wire, log).join(",")));
        }
    })
}

/// An owner's settlement, but kept as a failed attempt that says why.
pub(super) fn refused(wire: Wire, refused: &Settlement, why: &str) -> String {
    settlement(wire, &refused.bare().unstorable(why))
}

/// Which run came to what.
pub(super) fn late(wire: Wire, settlement: &Settlement) -> String {
    wire.item(|fields| {
        fields.id("run", settlement.run.uuid());
        fields.text("outcome", settlement.end.outcome.unwrap_or(Outcome::Error).as_str());
    })
}

fn lines(wire: Wire, log: &[LogRecord]) -> Vec<String> {
    let line = |line: &LogRecord| {
        wire.item(|fields| {
            fields.number("seq", line.seq);
            fields.time("at", line.at);
            fields.text("level", line.level.as_str());
            fields.text("message", &line.message);
            fields.opt_text("fields", line.fields.as_ref().map(|json| json.as_str()));
        })
    };
    log.iter().map(line).collect()
}

fn moved(fields: &mut Fields, job: JobId, run: RunId, transition: Transition, tries: &Tries) {
    fields.id("job", job.uuid());
    fields.id("run", run.uuid());
    fields.text("state", transition.state().as_str());
    fields.time("scheduled_at", transition.due());
    fields.number("failures", tries.failures);
    fields.number("crashes", tries.crashes);
    fields.number("releases", tries.releases);
    fields.number("snoozes", tries.snoozes);
}

/// A running job, as whoever settles for its node finds it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) tries: Tries,
    pub(super) last_chance: bool,
    pub(super) cancel_requested: bool,
    /// What will be told of it; outcome and transition are still to be decided.
    pub(super) told: Reclaimed,
}

impl Found {
    pub(super) fn read(row: &mut Row) -> Result<Self> {
        let tries = row.tries()?;
        let told = Reclaimed {
            job: row.id("id")?,
            run: row.id("lease_token")?,
            attempt: tries.attempt,
            kind: row.name("kind", Kind::stored)?,
            queue: row.name("queue", Queue::stored)?,
            node: row.opt_id("node_id")?,
            outcome: Outcome::Crashed,
            transition: Transition::Release,
        };
        Ok(Self {
            tries,
            last_chance: row.flag("last_chance")?,
            cancel_requested: row.opt_time("cancel_requested_at")?.is_some(),
            told,
        })
    }

    /// Taken from a node that was lost.
    pub(super) fn crashed(mut self, wire: Wire, loss: LossSettlement) -> (Reclaimed, String) {
        self.told.outcome = Outcome::Crashed;
        self.told.transition = loss.transition;
        let tries = Tries { crashes: loss.crashes, ..self.tries };
        let item = wire.item(|fields| {
            moved(fields, loss.job, loss.run, loss.transition, &tries);
            fields.flag("last_chance", loss.last_chance);
            fields.text("outcome", Outcome::Crashed.as_str());
            fields.text("error_message", "the node was lost while this ran");
        });
        (self.told, item)
    }

    /// Given back, because its node does not know of it, or leaves.
    pub(super) fn released(mut self, wire: Wire, why: &str) -> (Reclaimed, String) {
        self.told.outcome = Outcome::Released;
        self.told.transition = Transition::Release;
        let item = wire.item(|fields| {
            moved(fields, self.told.job, self.told.run, Transition::Release, &self.tries);
            fields.flag("last_chance", self.last_chance);
            fields.text("outcome", Outcome::Released.as_str());
            fields.text("error_message", why);
        });
        (self.told, item)
    }

    /// Past its deadline, with a node too wedged to end it: as its owner would have settled it.
    pub(super) fn overdue(mut self, settlement: &Settlement, wire: Wire) -> (Reclaimed, String) {
        self.told.outcome = settlement.end.outcome.unwrap_or(Outcome::Timeout);
        self.told.transition = settlement.transition;
        let item = wire.item(|fields| {
            moved(fields, settlement.job, settlement.run, settlement.transition, &settlement.tries);
            fields.text("outcome", self.told.outcome.as_str());
            fields.opt_text("error_class", settlement.end.error_class.map(|class| class.as_str()));
            fields.opt_text("error_message", settlement.end.error_message.as_ref());
        });
        (self.told, item)
    }
}

/// What a settle statement answered for one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) run: RunId,
    pub(super) state: JobState,
    pub(super) outcome: Outcome,
}

impl Moved {
    pub(super) fn read(mut row: Row) -> Result<Self> {
        Ok(Self { run: row.id("run")?, state: row.word("state")?, outcome: row.word("outcome")? })
    }
}

/// Who settles, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    pub(super) by: SettledBy,
    pub(super) now: Timestamp,
}

/// Carries out what was decided for jobs that were found running; answers those that did move.
pub(super) async fn settle_found<D: Dialect>(
    db: &D,
    session: &mut dyn Session,
    decided: Vec<(Reclaimed, String)>,
    hand: Hand,
) -> Done<Vec<Reclaimed>> {
    if decided.is_empty() {
        return Ok(Vec::new());
    }
    let (told, items): (Vec<Reclaimed>, Vec<String>) = decided.into_iter().unzip();
    let settling = Settling { batch: join(&items).into(), by: hand.by, now: hand.now };
    let mut states = HashMap::new();
    for row in db.settle(session, &settling).await? {
        let Moved { run, state, .. } = Moved::read(row)?;
        states.insert(run, state);
    }
    let moved = told.into_iter().filter_map(|mut told| {
        if *states.get(&told.run)? == JobState::Cancelled {
            // A cancel was asked after the job was read.
            told.transition = Transition::Cancel;
        }
        Some(told)
    });
    Ok(moved.collect())
}
